\set wallet random(:first, :last)
BEGIN;
SELECT balance FROM floor_wallet WHERE id = :wallet FOR UPDATE;
UPDATE floor_wallet SET balance = balance - 1 WHERE id = :wallet;
INSERT INTO floor_entry (wallet_id, credits, balance_after, at) VALUES (:wallet, -1, 0, now());
COMMIT;
