"""Tables as files: written by a worker in one snapshot, kept whole or not at all.

`asking` is what people do, `running` what the worker does, `writing` the file itself;
`registry` says which tables there are. A row of `Export` tells how far one is.
"""

from __future__ import annotations
