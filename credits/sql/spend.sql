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
    v_wallet_id bigint;             -- of the command asked for; of that wallet:
    v_balance bigint;
    v_seq bigint;
    v_is_capped boolean;            -- its member is
    v_next_id bigint;               -- the grant whose turn it is, and of that:
    v_free bigint;
    v_pinned bigint;
    v_key text;
    v_turn bigint;                  -- the wallet before this one
    v_keys text[];                  -- accepted in this turn
    v_spent bigint;                 -- by these
    v_before integer := 0;          -- how many were accepted before this turn
    v_count integer := 0;           -- how many by now
    v_accepted integer[];           -- which; by command, these:
    v_entry_ids bigint[];
    v_seqs bigint[];
    v_balances bigint[];
    v_serving_ids bigint[];         -- the grant that serves it, if one serves all
    v_left bigint[];                -- what is left of that
    v_has_twins boolean := cardinality(p_keys) > (
        SELECT count(*) FROM (SELECT DISTINCT unnest(p_keys)) AS different
    );
    v_twin integer;                 -- the command of this turn that had the key first
    v_changed integer := 0;         -- how many wallets change
    v_lasts integer[];              -- by wallet, the last command accepted
    v_split bigint[] := '{}';       -- wallets that take several grants; of these:
    v_firsts integer[];             -- where their commands begin in v_accepted
    v_nexts bigint[];               -- the grant whose turn it is then
    v_owed bigint := 0;             -- what grants have to serve yet
    v_grant record;
    v_place integer;                -- of the wallet in v_split
    v_serving integer;              -- of the command in v_accepted
    v_need bigint;
    v_rest bigint;
    v_take bigint;
    v_position integer;             -- of the draw, in its entry
    v_grant_ids bigint[];           -- grants that change; by grant, this:
    v_remaining bigint[];
    v_draws integer := 0;           -- how many; by draw, these:
    v_draw_items integer[];
    v_draw_grants bigint[];
    v_draw_positions integer[];
    v_draw_credits bigint[];
    v_draw_remaining bigint[];
BEGIN
    IF 0 > ANY (p_credits) THEN
        RAISE EXCEPTION 'a spend of % credits',
            (SELECT min(credits) FROM unnest(p_credits) AS credits)
            USING ERRCODE = 'check_violation';
    END IF;
    PERFORM ledger_lock_all(p_wallet_ids, p_at);
    FOR item, v_wallet_id, v_key, credits, v_balance, v_seq, available, v_is_capped,
        v_next_id, v_free, v_pinned, outcome, entry_id, seq, balance_after, occurred_at,
        spending_block, way_forward, cap, used
    IN
        SELECT n, turn.wallet_id, p_keys[n], coalesce(first.credits, -p_credits[n]),
            wallet.balance, wallet.seq,
            wallet.balance - wallet.held - wallet.frozen,
            wallet.has_caps AND p_member_ids[n] IS NOT NULL, lot.id,
            lot.remaining - lot.held, lot.held,
            CASE  -- R109: the first result stands, whatever has changed since.
                WHEN first.request_hash = p_hashes[n] THEN 'REPLAYED'
                WHEN first.id IS NOT NULL THEN 'CONFLICT'
                WHEN wallet.id IS NULL THEN 'NO_WALLET'
                WHEN ledger_block(wallet, p_at) <> '' THEN 'BLOCKED'
            END,
            first.id, first.seq, first.balance_after,
            coalesce(first.occurred_at, p_at), ledger_block(wallet, p_at),
            wallet.way_forward::text, NULL::bigint, NULL::bigint
        FROM (
            SELECT wallet_id, array_agg(n::integer ORDER BY n) AS items
            FROM unnest(p_wallet_ids) WITH ORDINALITY AS asked (wallet_id, n)
            GROUP BY wallet_id
        ) AS turn
        LEFT JOIN credits_wallet AS wallet ON wallet.id = turn.wallet_id
        LEFT JOIN credits_creditgrant AS lot ON lot.id = wallet.next_grant_id
        CROSS JOIN unnest(turn.items) AS n
        LEFT JOIN credits_ledgerentry AS first ON first.wallet_id = turn.wallet_id
            AND first.idempotency_key = p_keys[n]
        ORDER BY turn.wallet_id, n
    LOOP
        IF v_wallet_id IS DISTINCT FROM v_turn THEN
            v_turn := v_wallet_id; v_keys := NULL; v_spent := 0; v_before := v_count;
        END IF;
        available := available - v_spent;
        IF outcome IS NOT NULL THEN
            RETURN NEXT; CONTINUE;
        END IF;
        IF v_has_twins THEN
            v_twin := v_accepted[v_before + array_position(v_keys, v_key)];
            IF v_twin IS NOT NULL THEN
                outcome := CASE WHEN p_hashes[v_twin] = p_hashes[item]
                    THEN 'REPLAYED' ELSE 'CONFLICT' END;
                entry_id := v_entry_ids[v_twin]; seq := v_seqs[v_twin];
                credits := -p_credits[v_twin]; balance_after := v_balances[v_twin];
                RETURN NEXT; CONTINUE;
            END IF;
        END IF;
        -- Before there is talk of credits: to buy more would not help (R45).
        IF v_is_capped THEN
            SELECT limits.* INTO cap, used
            FROM credits_wallet AS wallet,
                ledger_member_cap(wallet, p_member_ids[item], p_at) AS limits
            WHERE wallet.id = v_wallet_id;
            IF credits < 0 AND used - credits > cap THEN
                outcome := 'CAPPED'; RETURN NEXT; CONTINUE;
            END IF;
        END IF;
        IF available + credits < 0 THEN
            outcome := 'INSUFFICIENT'; RETURN NEXT; CONTINUE;
        END IF;

        v_spent := v_spent - credits; v_count := v_count + 1;
        v_accepted[v_count] := item;
        outcome := 'POSTED'; entry_id := nextval('credits_ledgerentry_id_seq');
        seq := v_seq + v_count - v_before; balance_after := v_balance - v_spent;
        available := available + credits;
        v_entry_ids[item] := entry_id; v_seqs[item] := seq;
        v_balances[item] := balance_after;
        IF v_count = v_before + 1 THEN
            v_changed := v_changed + 1;
        END IF;
        v_lasts[v_changed] := item;
        -- As a rule the grant whose turn it is serves all of its wallet.
        IF v_spent <= v_free THEN
            v_serving_ids[item] := v_next_id;
            v_left[item] := v_free + v_pinned - v_spent;
        ELSIF v_split[cardinality(v_split)] = v_wallet_id THEN
            v_owed := v_owed - credits;
        ELSE
            v_owed := v_owed + v_spent;
            v_split := v_split || v_wallet_id; v_firsts := v_firsts || v_before + 1;
        END IF;
        IF v_has_twins THEN
            v_keys := v_keys || v_key;
        END IF;
        IF v_is_capped THEN
            PERFORM ledger_count_usage(
                v_wallet_id, p_member_ids[item], -credits, p_at
            );
        END IF;
        RETURN NEXT;
    END LOOP;

    -- Of other wallets, grants in the order of R2 serve commands in the order given.
    v_turn := NULL;
    FOR v_grant IN SELECT * FROM ledger_spendable(VARIADIC v_split) LOOP
        IF v_grant.wallet_id IS DISTINCT FROM v_turn THEN
            v_turn := v_grant.wallet_id;
            v_place := array_position(v_split, v_turn);
            v_serving := v_firsts[v_place];
            v_need := p_credits[v_accepted[v_serving]]; v_position := 0;
        END IF;
        v_rest := v_grant.free;
        LOOP
            v_take := least(v_need, v_rest);
            IF v_take > 0 THEN
                v_need := v_need - v_take; v_rest := v_rest - v_take;
                v_owed := v_owed - v_take;
                v_draws := v_draws + 1;
                v_draw_items[v_draws] := v_accepted[v_serving];
                v_draw_grants[v_draws] := v_grant.grant_id;
                v_draw_positions[v_draws] := v_position;
                v_draw_credits[v_draws] := -v_take;
                v_draw_remaining[v_draws] := v_rest + v_grant.pinned;
                v_position := v_position + 1;
            END IF;
            EXIT WHEN v_need > 0
                OR p_wallet_ids[v_accepted[v_serving + 1]] IS DISTINCT FROM v_turn;
            v_serving := v_serving + 1; v_position := 0;
            v_need := p_credits[v_accepted[v_serving]];
        END LOOP;
        IF v_rest > 0 AND v_nexts[v_place] IS NULL THEN
            v_nexts[v_place] := v_grant.grant_id;
        END IF;
        IF v_rest < v_grant.free THEN
            v_grant_ids := v_grant_ids || v_grant.grant_id;
            v_remaining := v_remaining || v_rest + v_grant.pinned;
        END IF;
    END LOOP;
    IF v_owed > 0 THEN
        RAISE EXCEPTION 'a wallet of % holds less than its balance', v_split
            USING ERRCODE = 'data_corrupted';
    END IF;

    UPDATE credits_wallet AS wallet
    SET balance = v_balances[last], seq = v_seqs[last],
        next_grant_id = coalesce(
            v_serving_ids[last], v_nexts[array_position(v_split, wallet.id)]
        )
    FROM unnest(v_lasts) AS last
    WHERE wallet.id = p_wallet_ids[last];
    UPDATE credits_creditgrant AS lot
    SET remaining = changed.remaining, is_open = (changed.remaining > 0)
    FROM (
        SELECT v_serving_ids[last], v_left[last] FROM unnest(v_lasts) AS last
        UNION ALL
        SELECT * FROM unnest(v_grant_ids, v_remaining)
    ) AS changed (id, remaining)
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
    SELECT v_entry_ids[n], v_serving_ids[n], p_wallet_ids[n], 0, -p_credits[n],
        v_left[n]
    FROM unnest(v_accepted) AS n
    WHERE p_credits[n] > 0 AND p_wallet_ids[n] <> ALL (v_split)
    UNION ALL
    SELECT v_entry_ids[v_draw_items[n]], v_draw_grants[n],
        p_wallet_ids[v_draw_items[n]], v_draw_positions[n], v_draw_credits[n],
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
