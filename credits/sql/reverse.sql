-- What a spend or a capture took and has not given back, last taken first (R3).
CREATE OR REPLACE FUNCTION ledger_returnable(p_entry_id bigint)
RETURNS TABLE (place integer, grant_id bigint, credits bigint, is_frozen boolean)
LANGUAGE sql STABLE AS $$
    SELECT taken.position::integer, taken.grant_id,
        -taken.credits - coalesce((
            SELECT sum(back.credits) FROM credits_ledgerentry AS reversal
            JOIN credits_grantdraw AS back ON back.entry_id = reversal.id
            WHERE reversal.reverses_id = p_entry_id AND back.grant_id = taken.grant_id
        ), 0)::bigint,
        lot.frozen_for <> '{}'
    FROM credits_grantdraw AS taken
    JOIN credits_creditgrant AS lot ON lot.id = taken.grant_id
    WHERE taken.entry_id = p_entry_id
    ORDER BY taken.position DESC;
$$;

-- R79: what comes back to bought credits pays what is owed first, in the order in which
-- it came back; frozen credits pay nothing. It is an entry of its own, after the reversal.
CREATE OR REPLACE FUNCTION ledger_repay_from(
    p_reversal credits_ledgerentry, p_debt bigint, p_at timestamptz
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_paying record;
    v_entry credits_ledgerentry;
BEGIN
    SELECT sum(credits)::bigint AS credits, array_agg(grant_id ORDER BY position) AS grants,
        array_agg(credits ORDER BY position) AS parts
    INTO v_paying
    FROM (
        SELECT draw.grant_id, draw.position, least(draw.credits, p_debt - coalesce(
            sum(draw.credits) OVER (
                ORDER BY draw.position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ), 0
        ))::bigint AS credits
        FROM credits_grantdraw AS draw
        JOIN credits_creditgrant AS lot ON lot.id = draw.grant_id
        WHERE draw.entry_id = p_reversal.id AND lot.source IN ('PURCHASE', 'RELOAD')
            AND lot.frozen_for = '{}'
    ) AS bought
    WHERE credits > 0;
    IF v_paying.credits IS NULL THEN
        RETURN;
    END IF;
    v_entry := ledger_post(
        p_reversal.wallet_id, 'REPAY', 'repay-by:' || p_reversal.id, '',
        -v_paying.credits, 0, 0, -v_paying.credits, NULL, NULL, 'system', '', p_at, p_at
    );
    FOR j IN 1 .. cardinality(v_paying.grants) LOOP
        PERFORM ledger_draw(
            v_entry, j - 1, v_paying.grants[j], -v_paying.parts[j], 0, 0
        );
    END LOOP;
END $$;

-- Gives credits of a spend or a capture back to the grants that they came from, last
-- taken first (R3): all that is not given back yet, or so many.
-- A grant that has expired meanwhile lives p_grace longer, from p_at.
-- R8: a job that cost nothing is given back once, by a row that moves nothing.
-- outcome: POSTED, REPLAYED, CONFLICT, EXCEEDS_ENTRY, EMPTY (nothing is left to give
-- back: no entry), NOT_REVERSIBLE, NO_ENTRY.
CREATE OR REPLACE FUNCTION ledger_reverse(
    p_entry_ids bigint[], p_credits bigint[], p_keys text[], p_hashes bytea[],
    p_actors text[], p_reasons text[], p_grace interval, p_at timestamptz
) RETURNS TABLE (
    item integer, outcome text, entry_id bigint, credits bigint, balance_after bigint
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    i integer;
    v_wallet credits_wallet;
    v_taken credits_ledgerentry;
    v_entry credits_ledgerentry;
    v_left bigint;
    v_need bigint;
    v_back bigint;
    v_draw record;
    v_grant_ids bigint[];
    v_backs bigint[];
    v_frozens bigint[];
BEGIN
    FOR i IN
        SELECT n FROM unnest(p_entry_ids) WITH ORDINALITY AS command (entry_id, n)
        LEFT JOIN credits_ledgerentry AS taken ON taken.id = command.entry_id
        ORDER BY taken.wallet_id, n
    LOOP
        item := i; entry_id := NULL; credits := NULL; balance_after := NULL;
        SELECT * INTO v_taken FROM credits_ledgerentry WHERE id = p_entry_ids[i];
        IF NOT FOUND THEN
            outcome := 'NO_ENTRY'; RETURN NEXT; CONTINUE;
        END IF;
        v_wallet := ledger_lock(v_taken.wallet_id, p_at);
        SELECT -v_taken.credits - coalesce(sum(back.credits), 0) INTO v_left
        FROM credits_ledgerentry AS back WHERE back.reverses_id = v_taken.id;
        v_need := coalesce(p_credits[i], v_left);
        v_entry := ledger_first(v_wallet.id, p_keys[i]);
        IF v_entry.id IS NOT NULL THEN
            outcome := CASE WHEN v_entry.request_hash = p_hashes[i]
                THEN 'REPLAYED' ELSE 'CONFLICT' END;
        ELSIF v_taken.kind NOT IN ('SPEND', 'CAPTURE') THEN
            outcome := 'NOT_REVERSIBLE';
        ELSIF v_need > v_left THEN
            outcome := 'EXCEEDS_ENTRY';
        ELSIF v_need = 0 AND (v_taken.credits < 0 OR EXISTS (
            SELECT 1 FROM credits_ledgerentry WHERE reverses_id = v_taken.id
        )) THEN
            outcome := 'EMPTY';
        ELSE
            v_grant_ids := '{}'; v_backs := '{}'; v_frozens := '{}';
            FOR v_draw IN SELECT * FROM ledger_returnable(v_taken.id) LOOP
                v_back := least(v_need, v_draw.credits);
                CONTINUE WHEN v_back = 0;
                v_need := v_need - v_back;
                v_grant_ids := v_grant_ids || v_draw.grant_id;
                v_backs := v_backs || v_back;
                v_frozens := v_frozens
                    || CASE WHEN v_draw.is_frozen THEN v_back ELSE 0 END;
            END LOOP;
            v_entry := ledger_post(
                v_wallet.id, 'REVERSE', p_keys[i], p_hashes[i],
                coalesce((SELECT sum(n) FROM unnest(v_backs) AS n), 0)::bigint, 0,
                coalesce((SELECT sum(n) FROM unnest(v_frozens) AS n), 0)::bigint, 0, NULL,
                v_taken.id, p_actors[i], p_reasons[i], p_at, p_at
            );
            FOR j IN 1 .. cardinality(v_grant_ids) LOOP
                PERFORM ledger_draw(
                    v_entry, j - 1, v_grant_ids[j], v_backs[j], 0, v_frozens[j]
                );
            END LOOP;
            UPDATE credits_creditgrant SET expires_at = p_at + p_grace
            WHERE id = ANY (v_grant_ids) AND expires_at <= p_at
                AND clock_stopped_at IS NULL;
            IF v_wallet.debt > 0 THEN
                PERFORM ledger_repay_from(v_entry, v_wallet.debt, p_at);
            END IF;
            UPDATE credits_wallet SET next_expiry_at = ledger_next_expiry(id)
            WHERE id = v_wallet.id;
            IF v_wallet.has_caps THEN
                PERFORM ledger_count_usage(
                    v_wallet.id, v_taken.member_id, -v_entry.credits,
                    v_taken.occurred_at
                );
            END IF;
            outcome := 'POSTED';
        END IF;
        entry_id := v_entry.id; credits := v_entry.credits;
        balance_after := v_entry.balance_after;
        RETURN NEXT;
    END LOOP;
END $$;
