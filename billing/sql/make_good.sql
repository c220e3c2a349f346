-- The debits of an incident: what spends and captures used of some features in a span
-- of time, as far as it was not given back, and no other make-good stands for it.
--
-- What comes back goes to the grants that were drawn last (R3), so this is also what it
-- was paid with (R100): of each grant, the debits come back in the order of their ids.
CREATE OR REPLACE FUNCTION billing_affected_debits(
    p_features text[], p_starts_at timestamptz, p_ends_at timestamptz, p_prefix text,
    p_unit text, p_limit integer
) RETURNS TABLE (entry_id bigint, account_id bigint, credits bigint, cents bigint)
LANGUAGE sql STABLE AS $$
    WITH used AS (
        SELECT entry.id, wallet.account_id, least(
            sum(line.credits), -entry.credits - coalesce((
                SELECT sum(back.credits) FROM credits_ledgerentry AS back
                WHERE back.reverses_id = entry.id
            ), 0)
        )::bigint AS credits
        FROM credits_ledgerentry AS entry
        JOIN credits_usageline AS line ON line.entry_id = entry.id
        JOIN credits_wallet AS wallet ON wallet.id = entry.wallet_id
        WHERE entry.occurred_at >= p_starts_at AND entry.occurred_at < p_ends_at
            AND entry.kind IN ('SPEND', 'CAPTURE') AND entry.credits < 0
            AND line.feature = ANY (p_features)
            AND starts_with(entry.reference, p_prefix) AND wallet.unit = p_unit
            AND NOT EXISTS (
                SELECT FROM billing_makegooddebit AS debit
                WHERE debit.entry_id = entry.id
            )
        GROUP BY entry.id, wallet.account_id
    ), affected AS (
        SELECT * FROM used WHERE credits > 0
        ORDER BY account_id, id LIMIT p_limit
    ), returnable AS (
        SELECT affected.*, draw.grant_id, draw.position,
            -draw.credits - coalesce((
                SELECT sum(back.credits) FROM credits_ledgerentry AS reversal
                JOIN credits_grantdraw AS back ON back.entry_id = reversal.id
                WHERE reversal.reverses_id = affected.id
                    AND back.grant_id = draw.grant_id
            ), 0)::bigint AS left_of_draw
        FROM affected
        JOIN credits_grantdraw AS draw ON draw.entry_id = affected.id
    ), parts AS (
        SELECT id, account_id, credits, grant_id,
            greatest(0, least(left_of_draw, credits - coalesce(
                sum(left_of_draw) OVER (
                    PARTITION BY id ORDER BY position DESC
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                ), 0
            )))::bigint AS part
        FROM returnable
    ), reaching AS (
        SELECT parts.*, lot.cost_basis_cents, lot.granted,
            lot.granted - lot.remaining - (sum(part) OVER (
                PARTITION BY grant_id ORDER BY parts.id
            ))::bigint AS gone_after
        FROM parts
        JOIN credits_creditgrant AS lot ON lot.id = parts.grant_id
        WHERE part > 0
    )
    SELECT id, account_id, credits, sum(
        div(cost_basis_cents::numeric * (gone_after + part), granted)
            - div(cost_basis_cents::numeric * gone_after, granted)
    )::bigint
    FROM reaching
    GROUP BY id, account_id, credits
    ORDER BY account_id, id;
$$;
