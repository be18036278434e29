-- +goose Up
-- Where something begins or ends is a meeting point, or a private address that
-- stands in carpool_addresses under the name given here; lon and lat are then
-- those of the middle of its cell.
CREATE TABLE carpool_offers (
    id            TEXT             NOT NULL PRIMARY KEY,
    driver        TEXT             NOT NULL,
    vehicle       TEXT             NOT NULL,
    from_place    TEXT             NOT NULL,
    from_address  TEXT             NOT NULL,
    from_lon      DOUBLE PRECISION NOT NULL,
    from_lat      DOUBLE PRECISION NOT NULL,
    to_place      TEXT             NOT NULL,
    to_address    TEXT             NOT NULL,
    to_lon        DOUBLE PRECISION NOT NULL,
    to_lat        DOUBLE PRECISION NOT NULL,
    schedule      TEXT             NOT NULL, -- JSON
    recurs        BIGINT           NOT NULL,
    seats         BIGINT           NOT NULL,
    aboard        BIGINT           NOT NULL,
    max_detour_ms BIGINT           NOT NULL,
    flex_ms       BIGINT           NOT NULL,
    door          BIGINT           NOT NULL,
    carries       TEXT             NOT NULL, -- JSON
    milli_eur_km  BIGINT           NOT NULL,
    return_offer  TEXT             NOT NULL,
    note          TEXT             NOT NULL,
    state         TEXT             NOT NULL,
    laid          TEXT             NOT NULL, -- rides are laid out up to this day
    created_ms    BIGINT           NOT NULL
);
CREATE INDEX carpool_offers_driver ON carpool_offers (driver);
CREATE INDEX carpool_offers_state ON carpool_offers (state, laid);
CREATE TABLE carpool_rides (
    id        TEXT   NOT NULL PRIMARY KEY,
    offer     TEXT   NOT NULL,
    slot      TEXT   NOT NULL, -- the day; of a ride that gave its day back: its id
    driver    TEXT   NOT NULL,
    vehicle   TEXT   NOT NULL,
    depart_ms BIGINT NOT NULL, -- as the driver offered it
    leave_ms  BIGINT NOT NULL, -- as planned with the riders so far
    arrive_ms BIGINT NOT NULL,
    direct_ms BIGINT NOT NULL, -- the driver's own way without riders
    seats     BIGINT NOT NULL,
    state     TEXT   NOT NULL,
    risk      TEXT   NOT NULL,
    reason    TEXT   NOT NULL, -- why it was cancelled
    version   BIGINT NOT NULL, -- one more with each change of its stops
    opened_ms BIGINT NOT NULL, -- when it last gained room
    UNIQUE (offer, slot)
);
CREATE INDEX carpool_rides_depart ON carpool_rides (state, depart_ms);
CREATE INDEX carpool_rides_driver ON carpool_rides (driver, depart_ms);
CREATE INDEX carpool_rides_opened ON carpool_rides (opened_ms);
CREATE TABLE carpool_stops (
    ride     TEXT             NOT NULL,
    position BIGINT           NOT NULL,
    kind     TEXT             NOT NULL,
    booking  TEXT             NOT NULL,
    place    TEXT             NOT NULL,
    address  TEXT             NOT NULL,
    lon      DOUBLE PRECISION NOT NULL,
    lat      DOUBLE PRECISION NOT NULL,
    at_ms    BIGINT           NOT NULL,
    seats    BIGINT           NOT NULL,
    PRIMARY KEY (ride, position)
);
CREATE TABLE carpool_requests (
    id           TEXT             NOT NULL PRIMARY KEY,
    rider        TEXT             NOT NULL,
    by_who       TEXT             NOT NULL,
    consent      TEXT             NOT NULL,
    from_place   TEXT             NOT NULL,
    from_address TEXT             NOT NULL,
    from_lon     DOUBLE PRECISION NOT NULL,
    from_lat     DOUBLE PRECISION NOT NULL,
    to_place     TEXT             NOT NULL,
    to_address   TEXT             NOT NULL,
    to_lon       DOUBLE PRECISION NOT NULL,
    to_lat       DOUBLE PRECISION NOT NULL,
    from_ms      BIGINT           NOT NULL,
    to_ms        BIGINT           NOT NULL,
    arrive       BIGINT           NOT NULL,
    companions   BIGINT           NOT NULL,
    needs        TEXT             NOT NULL, -- JSON
    door         BIGINT           NOT NULL,
    max_walk_ms  BIGINT           NOT NULL,
    return_kind  TEXT             NOT NULL,
    outward      TEXT             NOT NULL,
    note         TEXT             NOT NULL,
    state        TEXT             NOT NULL,
    way          TEXT             NOT NULL,
    way_booking  TEXT             NOT NULL,
    way_listed   TEXT             NOT NULL,
    way_bus      TEXT             NOT NULL, -- JSON
    way_until_ms BIGINT           NOT NULL, -- 0: none; the request has ended
    way_text     TEXT             NOT NULL,
    road_asked   BIGINT           NOT NULL, -- drivers who know the road were asked
    again        BIGINT           NOT NULL, -- a driver fell away: another is to be found now
    step         BIGINT           NOT NULL, -- one more with each change of the way
    searched_ms  BIGINT           NOT NULL, -- rides opened until then were looked at
    created_ms   BIGINT           NOT NULL
);
CREATE INDEX carpool_requests_rider ON carpool_requests (rider, from_ms);
CREATE INDEX carpool_requests_state ON carpool_requests (state, way_until_ms);
CREATE INDEX carpool_requests_outward ON carpool_requests (outward);
CREATE TABLE carpool_bookings (
    id             TEXT             NOT NULL PRIMARY KEY,
    request        TEXT             NOT NULL,
    ride           TEXT             NOT NULL,
    rider          TEXT             NOT NULL,
    driver         TEXT             NOT NULL,
    seats          BIGINT           NOT NULL,
    pickup_place   TEXT             NOT NULL,
    pickup_address TEXT             NOT NULL,
    pickup_lon     DOUBLE PRECISION NOT NULL,
    pickup_lat     DOUBLE PRECISION NOT NULL,
    pickup_ms      BIGINT           NOT NULL,
    drop_place     TEXT             NOT NULL,
    drop_address   TEXT             NOT NULL,
    drop_lon       DOUBLE PRECISION NOT NULL,
    drop_lat       DOUBLE PRECISION NOT NULL,
    drop_ms        BIGINT           NOT NULL,
    cents          BIGINT           NOT NULL,
    metres         BIGINT           NOT NULL,
    walk_to_ms     BIGINT           NOT NULL, -- on foot to the pick-up
    walk_from_ms   BIGINT           NOT NULL, -- and from the drop
    aboard_ms      BIGINT           NOT NULL, -- as promised
    state          TEXT             NOT NULL,
    ended_by       TEXT             NOT NULL,
    reason         TEXT             NOT NULL,
    deadline_ms    BIGINT           NOT NULL,
    created_ms     BIGINT           NOT NULL,
    changed_ms     BIGINT           NOT NULL
);
CREATE INDEX carpool_bookings_request ON carpool_bookings (request);
CREATE INDEX carpool_bookings_ride ON carpool_bookings (ride);
CREATE INDEX carpool_bookings_rider ON carpool_bookings (rider, pickup_ms);
CREATE INDEX carpool_bookings_driver ON carpool_bookings (driver, pickup_ms);
CREATE INDEX carpool_bookings_state ON carpool_bookings (state, deadline_ms);
CREATE INDEX carpool_bookings_pickup ON carpool_bookings (state, pickup_ms);
-- A search alert: the hours of its window, on each day until its last.
CREATE TABLE carpool_watches (
    id          TEXT             NOT NULL PRIMARY KEY,
    member      TEXT             NOT NULL,
    from_place  TEXT             NOT NULL,
    from_lon    DOUBLE PRECISION NOT NULL,
    from_lat    DOUBLE PRECISION NOT NULL,
    to_place    TEXT             NOT NULL,
    to_lon      DOUBLE PRECISION NOT NULL,
    to_lat      DOUBLE PRECISION NOT NULL,
    from_ms     BIGINT           NOT NULL,
    to_ms       BIGINT           NOT NULL,
    arrive      BIGINT           NOT NULL,
    seats       BIGINT           NOT NULL,
    needs       TEXT             NOT NULL, -- JSON
    max_walk_ms BIGINT           NOT NULL,
    last_day    TEXT             NOT NULL,
    searched_ms BIGINT           NOT NULL,
    created_ms  BIGINT           NOT NULL
);
CREATE INDEX carpool_watches_member ON carpool_watches (member);

-- +goose Down
DROP TABLE carpool_watches;
DROP TABLE carpool_bookings;
DROP TABLE carpool_requests;
DROP TABLE carpool_stops;
DROP TABLE carpool_rides;
DROP TABLE carpool_offers;
