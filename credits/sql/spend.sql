-- Takes credits, soonest-expiring grants first (R2), all or nothing for each command.
--
-- Arrays hold one command a place; lines name their command by its number, from 1.
-- A row comes back for each command. outcome: POSTED, REPLAYED (the key had this
-- content), CONFLICT (it had another), INSUFFICIENT, BLOCKED, NO_WALLET. A refused
-- command leaves nothing behind and harms no other; commands on one wallet take
-- effect in the order given. `available` is what is left after an accepted command,
-- or what there is for a refused one.
--
-- A wallet is locked, read and written once, however many commands name it. The
-- planner settings keep the plans on their indexes, also before the first ANALYZE.
CREATE OR REPLACE FUNCTION ledger_spend(
    p_wallet_ids bigint[], p_credits bigint[], p_keys text[], p_hashes bytea[],
    p_member_ids bigint[], p_members text[], p_references text[], p_actors text[],
    p_line_items integer[], p_line_positions integer[], p_line_features text[],
    p_line_quantities bigint[], p_line_rate_versions integer[],
    p_line_credits bigint[], p_at timestamptz
) RETURNS TABLE (
    item integer, outcome text, entry_id bigint, seq bigint, credits bigint,
    balance_after bigint, available bigint, occurred_at timestamptz,
    spending_block text, way_forward text
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    i integer;
    v_items integer[];
    v_wallet_id bigint;
    v_wallet credits_wallet;
    v_grants bigint[];       -- spendable grants, in the order of R2
    v_left bigint[];         -- what each still gives: remaining less held
    v_pinned bigint[];       -- what each holds for running jobs
    v_first integer;         -- the first grant that is not used up yet
    v_place integer;
    v_need bigint;
    v_take bigint;
    v_entry credits_ledgerentry;
    v_entries credits_ledgerentry[] := '{}';
    v_draw credits_grantdraw;
    v_draws credits_grantdraw[] := '{}';
    v_before integer;        -- entries accepted before this wallet's turn
    v_keys text[];           -- keys accepted in this wallet's turn
    v_entry_ids bigint[] := array_fill(NULL::bigint, ARRAY[cardinality(p_keys)]);
BEGIN
    -- Lock order everywhere: wallets by ascending id.
    FOR v_wallet_id, v_items IN
        SELECT wallet_id, array_agg(n ORDER BY n)
        FROM unnest(p_wallet_ids) WITH ORDINALITY AS command (wallet_id, n)
        GROUP BY wallet_id ORDER BY wallet_id
    LOOP
        v_wallet := ledger_lock(v_wallet_id, p_at);
        v_grants := NULL; v_first := 1; v_keys := '{}';
        v_before := cardinality(v_entries);

        FOREACH i IN ARRAY v_items LOOP
            item := i; entry_id := NULL; seq := NULL; balance_after := NULL;
            credits := -p_credits[i]; occurred_at := p_at;
            available := v_wallet.balance - v_wallet.held - v_wallet.frozen;
            spending_block := v_wallet.spending_block;
            way_forward := v_wallet.way_forward;
            IF v_wallet.id IS NULL THEN
                outcome := 'NO_WALLET'; RETURN NEXT; CONTINUE;
            END IF;

            -- R109: the first result stands, whatever has changed since.
            IF p_keys[i] = ANY (v_keys) THEN
                v_entry := v_entries[v_before + array_position(v_keys, p_keys[i])];
            ELSE
                SELECT * INTO v_entry FROM credits_ledgerentry
                WHERE wallet_id = v_wallet_id AND idempotency_key = p_keys[i];
            END IF;
            IF v_entry.id IS NOT NULL THEN
                entry_id := v_entry.id; seq := v_entry.seq;
                credits := v_entry.credits; balance_after := v_entry.balance_after;
                occurred_at := v_entry.occurred_at;
                outcome := CASE WHEN v_entry.request_hash = p_hashes[i]
                    THEN 'REPLAYED' ELSE 'CONFLICT' END;
                RETURN NEXT; CONTINUE;
            END IF;

            IF v_wallet.spending_block <> '' THEN
                outcome := 'BLOCKED'; RETURN NEXT; CONTINUE;
            END IF;
            IF p_credits[i] < 0 THEN
                RAISE EXCEPTION 'a spend of % credits', p_credits[i]
                    USING ERRCODE = 'check_violation';
            END IF;
            IF available < p_credits[i] THEN
                outcome := 'INSUFFICIENT'; RETURN NEXT; CONTINUE;
            END IF;

            v_wallet.balance := v_wallet.balance - p_credits[i];
            v_wallet.seq := v_wallet.seq + 1;
            v_entry := NULL;
            v_entry.id := nextval('credits_ledgerentry_id_seq');
            v_entry.wallet_id := v_wallet_id;
            v_entry.seq := v_wallet.seq;
            v_entry.kind := 'SPEND';
            v_entry.credits := -p_credits[i];
            v_entry.held := 0; v_entry.frozen := 0; v_entry.debt := 0;
            v_entry.balance_after := v_wallet.balance;
            v_entry.idempotency_key := p_keys[i];
            v_entry.request_hash := p_hashes[i];
            v_entry.member_id := p_member_ids[i];
            v_entry.member := p_members[i];
            v_entry.reference := p_references[i];
            v_entry.actor := p_actors[i];
            v_entry.reason := '';
            v_entry.occurred_at := p_at;
            v_entry.created_at := p_at;
            v_entries := v_entries || v_entry;
            v_entry_ids[i] := v_entry.id;
            v_keys := v_keys || p_keys[i];

            IF v_grants IS NULL THEN
                SELECT array_agg(grant_id), array_agg(free), array_agg(pinned)
                INTO v_grants, v_left, v_pinned
                FROM ledger_spendable(v_wallet_id);
            END IF;

            v_need := p_credits[i]; v_place := 0;
            WHILE v_need > 0 LOOP
                IF v_first > coalesce(cardinality(v_grants), 0) THEN
                    RAISE EXCEPTION 'wallet % holds less than its balance', v_wallet_id
                        USING ERRCODE = 'data_corrupted';
                END IF;
                v_take := least(v_need, v_left[v_first]);
                v_left[v_first] := v_left[v_first] - v_take;
                v_need := v_need - v_take;
                v_draw.entry_id := v_entry.id;
                v_draw.grant_id := v_grants[v_first];
                v_draw.wallet_id := v_wallet_id;
                v_draw.position := v_place;
                v_draw.credits := -v_take;
                v_draw.held := 0; v_draw.frozen := 0;
                v_draw.remaining_after := v_left[v_first] + v_pinned[v_first];
                v_draws := v_draws || v_draw;
                v_place := v_place + 1;
                IF v_left[v_first] = 0 THEN
                    v_first := v_first + 1;
                END IF;
            END LOOP;

            outcome := 'POSTED'; entry_id := v_entry.id; seq := v_entry.seq;
            balance_after := v_wallet.balance;
            available := available - p_credits[i];
            RETURN NEXT;
        END LOOP;

        IF cardinality(v_keys) > 0 THEN
            UPDATE credits_wallet SET balance = v_wallet.balance, seq = v_wallet.seq
            WHERE id = v_wallet_id;
            FOR i IN 1 .. least(v_first, coalesce(cardinality(v_grants), 0)) LOOP
                UPDATE credits_creditgrant
                SET remaining = v_left[i] + v_pinned[i],
                    is_open = (v_left[i] + v_pinned[i] > 0)
                WHERE id = v_grants[i] AND remaining <> v_left[i] + v_pinned[i];
            END LOOP;
        END IF;
    END LOOP;

    INSERT INTO credits_ledgerentry SELECT * FROM unnest(v_entries);
    INSERT INTO credits_grantdraw SELECT * FROM unnest(v_draws);
    -- R8: what cost nothing is on record too.
    INSERT INTO credits_usageline (
        entry_id, position, wallet_id, feature, quantity, rate_version, credits
    )
    SELECT v_entry_ids[line.item], line.position, p_wallet_ids[line.item],
        line.feature, line.quantity, line.rate_version, line.credits
    FROM unnest(
        p_line_items, p_line_positions, p_line_features, p_line_quantities,
        p_line_rate_versions, p_line_credits
    ) AS line (item, position, feature, quantity, rate_version, credits)
    WHERE v_entry_ids[line.item] IS NOT NULL;
END $$;
