-- The debits of an incident: what spends and captures used of each of some features in a
-- span of time, as far as it was not given back, and no other make-good stands for it.
-- What others are about to give back of the same job comes first.
--
-- What comes back goes to the grants that were drawn last (R3), so this is also what it
-- was paid with (R100): of each grant, the debits come back in the order of their ids
-- and features. Of a job, both the draws and the debits lie end to end, from what was
-- drawn last on: where they overlap is what goes where.
CREATE OR REPLACE FUNCTION billing_affected_debits(
    p_features text[], p_starts_at timestamptz, p_ends_at timestamptz, p_prefix text,
    p_unit text, p_limit integer
) RETURNS TABLE (
    entry_id bigint, account_id bigint, feature varchar, credits bigint, cents bigint
)
LANGUAGE sql STABLE AS $$
    WITH used AS (
        SELECT entry.id, wallet.account_id, line.feature,
            sum(line.credits)::bigint AS credits,
            -entry.credits - coalesce((
                SELECT sum(back.credits) FROM credits_ledgerentry AS back
                WHERE back.reverses_id = entry.id
            ), 0)::bigint AS left_of_job,
            coalesce((
                SELECT sum(debit.credits) FROM billing_makegooddebit AS debit
                WHERE debit.entry_id = entry.id AND debit.given_credits IS NULL
            ), 0)::bigint AS under_way
        FROM credits_ledgerentry AS entry
        JOIN credits_usageline AS line ON line.entry_id = entry.id
        JOIN credits_wallet AS wallet ON wallet.id = entry.wallet_id
        WHERE entry.occurred_at >= p_starts_at AND entry.occurred_at < p_ends_at
            AND entry.kind IN ('SPEND', 'CAPTURE') AND entry.credits < 0
            AND line.feature = ANY (p_features)
            AND starts_with(entry.reference, p_prefix) AND wallet.unit = p_unit
            AND NOT EXISTS (
                SELECT FROM billing_makegooddebit AS debit
                WHERE debit.entry_id = entry.id AND debit.feature = line.feature
            )
        GROUP BY entry.id, wallet.account_id, line.feature
    ), laid AS (
        SELECT used.*, under_way + (sum(credits) OVER (
            PARTITION BY id ORDER BY feature
        ))::bigint AS upto
        FROM used WHERE credits > 0
    ), affected AS (
        SELECT id, account_id, feature, upto - credits AS since,
            least(credits, left_of_job - (upto - credits)) AS credits
        FROM laid WHERE left_of_job > upto - credits
        ORDER BY account_id, id, feature LIMIT p_limit
    ), returnable AS (
        SELECT draw.entry_id, draw.grant_id, draw.position,
            -draw.credits - coalesce((
                SELECT sum(back.credits) FROM credits_ledgerentry AS reversal
                JOIN credits_grantdraw AS back ON back.entry_id = reversal.id
                WHERE reversal.reverses_id = draw.entry_id
                    AND back.grant_id = draw.grant_id
            ), 0)::bigint AS credits
        FROM (SELECT DISTINCT id FROM affected) AS job
        JOIN credits_grantdraw AS draw ON draw.entry_id = job.id
    ), drawn AS (
        SELECT returnable.*, (sum(credits) OVER (
            PARTITION BY returnable.entry_id ORDER BY position DESC
        ))::bigint AS upto
        FROM returnable
    ), parts AS (
        SELECT affected.*, drawn.grant_id,
            least(affected.since + affected.credits, drawn.upto)
                - greatest(affected.since, drawn.upto - drawn.credits) AS part
        FROM affected
        JOIN drawn ON drawn.entry_id = affected.id
    ), reaching AS (
        SELECT parts.*, lot.cost_basis_cents, lot.granted,
            lot.granted - lot.remaining - (sum(part) OVER (
                PARTITION BY grant_id ORDER BY parts.id, feature
            ))::bigint AS gone_after
        FROM parts
        JOIN credits_creditgrant AS lot ON lot.id = parts.grant_id
        WHERE part > 0
    )
    SELECT id, account_id, feature, credits, sum(
        div(cost_basis_cents::numeric * (gone_after + part), granted)
            - div(cost_basis_cents::numeric * gone_after, granted)
    )::bigint
    FROM reaching
    GROUP BY id, account_id, feature, credits
    ORDER BY account_id, id, feature;
$$;
