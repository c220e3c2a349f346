-- What staff may adjust alone without limits of their own (R91): the settings, as of the
-- last migration. The application's login cannot change it.
CREATE OR REPLACE FUNCTION billing_staff_limits(OUT at_once bigint, OUT a_day bigint)
LANGUAGE sql IMMUTABLE AS $$
    SELECT {at_once}::bigint, {a_day}::bigint;
$$;
