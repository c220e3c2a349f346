\set wallet random(:first, :last)
WITH moved AS (
    UPDATE floor_wallet SET balance = balance - 1 WHERE id = :wallet AND balance >= 1
    RETURNING id, balance
)
INSERT INTO floor_entry (wallet_id, credits, balance_after, at)
SELECT id, -1, balance, now() FROM moved;
