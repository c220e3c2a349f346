-- Takes credits, soonest-expiring grants first (R2), all or nothing for each command.
--
-- Arrays hold one command a place; lines name their command by its number, from 1.
-- A row comes back for each command. outcome: POSTED, REPLAYED (the key had this
-- content), CONFLICT (it had another), CAPPED, INSUFFICIENT, BLOCKED, NO_WALLET. A
-- refused command leaves nothing behind and harms no other; commands on one wallet take
-- effect in the order given. `available` is what is left after an accepted command,
-- or what there is for a refused one; `used` is what the member has used of the
-- tightest cap, if there is one (R87).
--
-- Each table is read by one statement and written by one, however many commands there
-- are: they cost one command little more than plain ones, and a hundred commands far
-- less. The planner settings keep the plans on their indexes, also before the first
-- ANALYZE. Without the last one each array would be planned for anew.
CREATE OR REPLACE FUNCTION ledger_spend(
    p_wallet_ids bigint[], p_credits bigint[], p_keys text[], p_hashes bytea[],
    p_member_ids bigint[], p_members text[], p_references text[], p_actors text[],
    p_line_items integer[], p_line_positions integer[], p_line_features text[],
    p_line_quantities bigint[], p_line_rate_versions integer[],
    p_line_credits bigint[], p_at timestamptz
) RETURNS TABLE (
    item integer, outcome text, entry_id bigint, seq bigint, credits bigint,
    balance_after bigint, available bigint, occurred_at timestamptz,
    spending_block text, way_forward text, cap bigint, used bigint
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off
SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    i integer;
    v_command record;               -- with its wallet, and what its key did before
    v_wallet_id bigint;             -- whose turn it is; of it:
    v_balance bigint;
    v_seq bigint;
    v_keys text[];                  -- accepted in this turn
    v_twin integer;                 -- the command of this turn that had the key first
    v_is_same boolean;
    v_before integer;               -- how many were accepted before this turn
    v_count integer := 0;           -- how many by now
    v_accepted integer[];           -- which; by command, these:
    v_entry_ids bigint[];
    v_seqs bigint[];
    v_balances bigint[];
    v_changed integer := 0;         -- how many wallets change; by wallet, these:
    v_wallet_ids bigint[];
    v_firsts integer[];             -- where its commands begin in v_accepted
    v_lasts integer[];              -- the last command accepted
    v_nexts bigint[];               -- the grant whose turn it is then
    v_owed bigint := 0;             -- what grants have to serve yet
    v_grant record;
    v_turn integer;                 -- the place in v_wallet_ids that they belong to
    v_serving integer;              -- the place in v_accepted that they serve
    v_until integer;                -- the last one of this wallet
    v_need bigint;
    v_left bigint;
    v_take bigint;
    v_place integer;
    v_grant_ids bigint[];           -- grants that change; by grant, this:
    v_remaining bigint[];
    v_draws integer := 0;           -- how many; by draw, these:
    v_draw_items integer[];
    v_draw_grants bigint[];
    v_draw_places integer[];
    v_draw_credits bigint[];
    v_draw_remaining bigint[];
BEGIN
    PERFORM ledger_lock_all(p_wallet_ids, p_at);
    FOR v_command IN
        SELECT asked.n, asked.wallet_id, wallet.balance, wallet.seq,
            wallet.held + wallet.frozen AS tied, wallet.has_caps,
            ledger_block(wallet, p_at) AS block, wallet.way_forward,
            CASE WHEN wallet.has_caps THEN wallet END AS capped,
            first.id AS first_id, first.seq AS first_seq,
            first.credits AS first_credits, first.balance_after AS first_balance,
            first.occurred_at AS first_at,
            first.request_hash = p_hashes[asked.n] AS is_same
        FROM unnest(p_wallet_ids, p_keys) WITH ORDINALITY AS asked (wallet_id, key, n)
        LEFT JOIN credits_wallet AS wallet ON wallet.id = asked.wallet_id
        LEFT JOIN credits_ledgerentry AS first ON first.wallet_id = asked.wallet_id
            AND first.idempotency_key = asked.key
        ORDER BY asked.wallet_id, asked.n
    LOOP
        i := v_command.n;
        item := i; entry_id := NULL; seq := NULL; balance_after := NULL;
        IF v_command.wallet_id IS DISTINCT FROM v_wallet_id THEN
            v_wallet_id := v_command.wallet_id;
            v_balance := v_command.balance; v_seq := v_command.seq;
            v_before := v_count; v_keys := NULL;
        END IF;
        available := v_balance - v_command.tied;
        spending_block := v_command.block; way_forward := v_command.way_forward;

        -- R109: the first result stands, whatever has changed since.
        v_twin := v_accepted[v_before + array_position(v_keys, p_keys[i])];
        IF v_twin IS NULL THEN
            entry_id := v_command.first_id; seq := v_command.first_seq;
            credits := v_command.first_credits;
            balance_after := v_command.first_balance;
            occurred_at := v_command.first_at; v_is_same := v_command.is_same;
        ELSE
            entry_id := v_entry_ids[v_twin]; seq := v_seqs[v_twin];
            credits := -p_credits[v_twin]; balance_after := v_balances[v_twin];
            occurred_at := p_at; v_is_same := p_hashes[v_twin] = p_hashes[i];
        END IF;
        IF entry_id IS NOT NULL THEN
            outcome := CASE WHEN v_is_same THEN 'REPLAYED' ELSE 'CONFLICT' END;
            RETURN NEXT; CONTINUE;
        END IF;

        credits := -p_credits[i]; occurred_at := p_at; cap := NULL; used := NULL;
        IF v_balance IS NULL THEN
            outcome := 'NO_WALLET'; RETURN NEXT; CONTINUE;
        END IF;
        IF spending_block <> '' THEN
            outcome := 'BLOCKED'; RETURN NEXT; CONTINUE;
        END IF;
        IF p_credits[i] < 0 THEN
            RAISE EXCEPTION 'a spend of % credits', p_credits[i]
                USING ERRCODE = 'check_violation';
        END IF;
        -- Before there is talk of credits: to buy more would not help (R45).
        IF v_command.has_caps AND p_member_ids[i] IS NOT NULL THEN
            SELECT limits.* INTO cap, used
            FROM ledger_member_cap(v_command.capped, p_member_ids[i], p_at) AS limits;
            IF p_credits[i] > 0 AND used + p_credits[i] > cap THEN
                outcome := 'CAPPED'; RETURN NEXT; CONTINUE;
            END IF;
        END IF;
        IF available < p_credits[i] THEN
            outcome := 'INSUFFICIENT'; RETURN NEXT; CONTINUE;
        END IF;

        v_balance := v_balance - p_credits[i]; v_seq := v_seq + 1;
        entry_id := nextval('credits_ledgerentry_id_seq');
        seq := v_seq; balance_after := v_balance;
        available := available - p_credits[i];
        v_count := v_count + 1; v_accepted[v_count] := i;
        v_keys := v_keys || p_keys[i]; v_entry_ids[i] := entry_id;
        v_seqs[i] := seq; v_balances[i] := balance_after;
        v_owed := v_owed + p_credits[i];
        IF v_count = v_before + 1 THEN
            v_changed := v_changed + 1; v_wallet_ids[v_changed] := v_wallet_id;
            v_firsts[v_changed] := v_count;
        END IF;
        v_lasts[v_changed] := i;
        IF v_command.has_caps THEN
            PERFORM ledger_count_usage(
                v_wallet_id, p_member_ids[i], p_credits[i], p_at
            );
        END IF;
        outcome := 'POSTED'; RETURN NEXT;
    END LOOP;

    -- Grants in the order of R2 serve commands in the order given, wallet by wallet.
    v_wallet_id := NULL;
    FOR v_grant IN SELECT * FROM ledger_spendable(VARIADIC v_wallet_ids) LOOP
        IF v_grant.wallet_id IS DISTINCT FROM v_wallet_id THEN
            v_wallet_id := v_grant.wallet_id;
            v_turn := array_position(v_wallet_ids, v_wallet_id);
            v_serving := v_firsts[v_turn]; v_place := 0;
            v_until := coalesce(v_firsts[v_turn + 1] - 1, v_count);
            v_need := p_credits[v_accepted[v_serving]];
        END IF;
        v_left := v_grant.free;
        LOOP
            v_take := least(v_need, v_left);
            IF v_take > 0 THEN
                v_need := v_need - v_take; v_left := v_left - v_take;
                v_owed := v_owed - v_take;
                v_draws := v_draws + 1;
                v_draw_items[v_draws] := v_accepted[v_serving];
                v_draw_grants[v_draws] := v_grant.grant_id;
                v_draw_places[v_draws] := v_place;
                v_draw_credits[v_draws] := -v_take;
                v_draw_remaining[v_draws] := v_left + v_grant.pinned;
                v_place := v_place + 1;
            END IF;
            EXIT WHEN v_need > 0 OR v_serving = v_until;
            v_serving := v_serving + 1; v_place := 0;
            v_need := p_credits[v_accepted[v_serving]];
        END LOOP;
        IF v_left > 0 AND v_nexts[v_turn] IS NULL THEN
            v_nexts[v_turn] := v_grant.grant_id;
        END IF;
        IF v_left < v_grant.free THEN
            v_grant_ids := v_grant_ids || v_grant.grant_id;
            v_remaining := v_remaining || v_left + v_grant.pinned;
        END IF;
    END LOOP;
    IF v_owed > 0 THEN
        RAISE EXCEPTION 'a wallet of % holds less than its balance', v_wallet_ids
            USING ERRCODE = 'data_corrupted';
    END IF;

    UPDATE credits_wallet AS wallet
    SET balance = v_balances[changed.last], seq = v_seqs[changed.last],
        next_grant_id = changed.next
    FROM unnest(v_wallet_ids, v_lasts, v_nexts) AS changed (id, last, next)
    WHERE wallet.id = changed.id;
    UPDATE credits_creditgrant AS lot
    SET remaining = changed.remaining, is_open = (changed.remaining > 0)
    FROM unnest(v_grant_ids, v_remaining) AS changed (id, remaining)
    WHERE lot.id = changed.id;
    INSERT INTO credits_ledgerentry (
        id, wallet_id, seq, kind, credits, balance_after, idempotency_key,
        request_hash, member_id, member, reference, actor, reason, occurred_at,
        created_at
    )
    SELECT v_entry_ids[n], p_wallet_ids[n], v_seqs[n], 'SPEND', -p_credits[n],
        v_balances[n], p_keys[n], p_hashes[n], p_member_ids[n], p_members[n],
        p_references[n], p_actors[n], '', p_at, p_at
    FROM unnest(v_accepted) AS n;
    INSERT INTO credits_grantdraw (
        entry_id, grant_id, wallet_id, position, credits, remaining_after
    )
    SELECT v_entry_ids[v_draw_items[n]], v_draw_grants[n],
        p_wallet_ids[v_draw_items[n]], v_draw_places[n], v_draw_credits[n],
        v_draw_remaining[n]
    FROM generate_subscripts(v_draw_items, 1) AS n;
    -- R8: what cost nothing is on record too.
    INSERT INTO credits_usageline (
        entry_id, position, wallet_id, feature, quantity, rate_version, credits
    )
    SELECT v_entry_ids[p_line_items[n]], p_line_positions[n],
        p_wallet_ids[p_line_items[n]], p_line_features[n], p_line_quantities[n],
        p_line_rate_versions[n], p_line_credits[n]
    FROM generate_subscripts(p_line_items, 1) AS n
    WHERE v_entry_ids[p_line_items[n]] IS NOT NULL;
END $$;
