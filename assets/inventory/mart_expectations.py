"""What must be true of the stock marts before anybody is shown them. Quantities are in each."""

from __future__ import annotations

from assets.inventory.synchronisation.rules import REASONS
from assets.quality_gate import Suite, between, holds, is_true, matches, not_less, one_of, unique

CODE = r"^[a-z][a-z0-9_]{0,63}$"
LARGEST_QUANTITY = 10**12

INVENTORY_POSITION_DAILY = Suite(
    name="inventory_position_daily",
    owner="stock_control",
    required=(
        "trading_date",
        "node_id",
        "sku",
        "opening_quantity",
        "received_quantity",
        "adjusted_quantity",
        "shipped_quantity",
        "closing_quantity",
        "opening_agrees",
        "movements_agree",
    ),
    said=(
        holds(
            "day_adds_up",
            (
                "opening_quantity",
                "received_quantity",
                "adjusted_quantity",
                "shipped_quantity",
                "closing_quantity",
            ),
            lambda rows: (
                rows["opening_quantity"]
                + rows["received_quantity"]
                + rows["adjusted_quantity"]
                - rows["shipped_quantity"]
                == rows["closing_quantity"]
            ),
            "what moved does not lead from opening to closing",
        ),
        between(
            "receipts_add", "received_quantity", 0, LARGEST_QUANTITY, "receipts took units away"
        ),
        between(
            "despatches_take", "shipped_quantity", 0, LARGEST_QUANTITY, "despatches added units"
        ),
        between(
            "stock_is_not_negative",
            "closing_quantity",
            0,
            LARGEST_QUANTITY,
            "a day closes with fewer than no units; a count came late",
            severity="warning",
        ),
        unique("day_is_there_once", ("trading_date", "node_id", "sku"), "one day has two rows"),
        is_true("opening_agrees", "a day does not open as the last one closed"),
        is_true("movements_agree", "the ledger's movements of the day are other units"),
    ),
    blocks_by=("node_id", "sku"),
)

INVENTORY_DRIFT = Suite(
    name="inventory_drift",
    owner="stock_control",
    required=(
        "trading_date",
        "source_system",
        "place_kind",
        "place",
        "reason_code",
        "currency_code",
        "what_follows",
        "compared_line_count",
        "drifting_line_count",
        "net_drift_quantity",
        "drift_quantity",
        "booked_quantity",
        "proposed_quantity",
        "drift_agrees",
    ),
    said=(
        matches("system_is_a_code", "source_system", CODE, "the system is no code"),
        one_of(
            "place_is_a_node_or_a_channel",
            "place_kind",
            ("node", "channel"),
            "neither of a node nor of a channel",
        ),
        one_of("reason_is_known", "reason_code", (*REASONS, "none"), "nobody knows this reason"),
        between(
            "lines_were_compared",
            "compared_line_count",
            1,
            LARGEST_QUANTITY,
            "drift of a day on which nothing was compared",
        ),
        not_less(
            "no_more_drift_than_lines",
            "compared_line_count",
            "drifting_line_count",
            "more lines drift than were compared",
        ),
        holds(
            "net_is_within_gross",
            ("net_drift_quantity", "drift_quantity"),
            lambda rows: rows["net_drift_quantity"].abs() <= rows["drift_quantity"],
            "units set against each other are more than units added up",
        ),
        holds(
            "only_our_own_reasons_are_corrected",
            ("reason_code", "booked_quantity", "proposed_quantity"),
            lambda rows: (
                rows["reason_code"].isin(["oversell", "miscount"])
                | ~rows["reason_code"].isin([*REASONS, "none"])
                | ((rows["booked_quantity"] == 0) & (rows["proposed_quantity"] == 0))
            ),
            "our books follow drift that a message would cure",
        ),
        unique(
            "reason_is_there_once",
            ("trading_date", "source_system", "place", "reason_code", "currency_code"),
            "one reason of a day has two rows",
        ),
        is_true("drift_agrees", "the reasons of a day do not add up to what was compared"),
    ),
    blocks_by=("trading_date", "source_system", "place"),
)

INVENTORY_SYNC_LATENCY = Suite(
    name="inventory_sync_latency",
    owner="stock_control",
    required=(
        "channel",
        "period",
        "period_start_date",
        "message_count",
        "published_line_count",
        "acknowledged_line_count",
        "acknowledged_share",
        "median_publication_seconds",
        "p90_publication_seconds",
        "p95_publication_seconds",
        "p99_publication_seconds",
        "summed_publication_seconds",
        "lines_agree",
    ),
    optional=(
        "region",
        "brand",
        "median_acknowledgement_seconds",
        "p95_acknowledgement_seconds",
        "p95_total_seconds",
        "p99_total_seconds",
        "longest_total_seconds",
    ),
    said=(
        matches("channel_is_a_code", "channel", CODE, "the channel is no code"),
        one_of("period_is_known", "period", ("day", "week"), "no such period"),
        between(
            "messages_are_counted", "message_count", 1, LARGEST_QUANTITY, "a day without a message"
        ),
        not_less(
            "each_message_has_a_line",
            "published_line_count",
            "message_count",
            "fewer lines than messages",
        ),
        not_less(
            "no_more_is_heard_than_told",
            "published_line_count",
            "acknowledged_line_count",
            "more was acknowledged than published",
        ),
        between("share_is_a_share", "acknowledged_share", 0, 10_000, "a share outside 0 to 1"),
        between(
            "nothing_is_told_before_it_happens",
            "median_publication_seconds",
            0,
            LARGEST_QUANTITY,
            "channels were told before it happened",
        ),
        not_less(
            "the_slow_are_slower",
            "p95_publication_seconds",
            "median_publication_seconds",
            "the 95th percentile is below the median",
        ),
        not_less(
            "the_slowest_are_the_slowest",
            "p99_total_seconds",
            "p95_total_seconds",
            "the 99th percentile is below the 95th",
        ),
        between(
            "nothing_is_heard_before_it_is_told",
            "median_acknowledgement_seconds",
            0,
            LARGEST_QUANTITY,
            "channels show what they had not been told",
            severity="warning",
        ),
        unique(
            "period_is_there_once",
            ("channel", "period", "period_start_date"),
            "one period has two rows",
        ),
        is_true("lines_agree", "another number of lines than was published"),
    ),
    blocks_by=("channel",),
)

ATP_PUBLISHED = Suite(
    name="atp_published",
    owner="stock_control",
    required=(
        "channel",
        "sku",
        "published_quantity",
        "available_quantity",
        "held_back_quantity",
        "offer",
        "acknowledgement",
        "publication_count",
        "changed_at",
        "published_at",
        "is_the_last",
    ),
    optional=("acknowledged_at",),
    said=(
        matches("channel_is_a_code", "channel", CODE, "the channel is no code"),
        one_of(
            "offer_is_known",
            "offer",
            ("sold_out", "kept_back", "limited", "in_full"),
            "nobody knows this offer",
        ),
        one_of(
            "acknowledgement_is_known",
            "acknowledgement",
            ("acknowledged", "not_acknowledged"),
            "neither acknowledged nor not",
        ),
        between(
            "nothing_is_offered_below_zero",
            "published_quantity",
            0,
            LARGEST_QUANTITY,
            "a channel was offered fewer than no units",
        ),
        holds(
            "offer_and_buffer_are_all_there_is",
            ("published_quantity", "held_back_quantity", "available_quantity"),
            lambda rows: (
                rows["published_quantity"] + rows["held_back_quantity"]
                == rows["available_quantity"]
            ),
            "what is offered and what is kept back are not what is available",
        ),
        between(
            "no_more_is_offered_than_available",
            "held_back_quantity",
            0,
            LARGEST_QUANTITY,
            "a channel was offered more than was available",
        ),
        between(
            "it_was_told",
            "publication_count",
            1,
            LARGEST_QUANTITY,
            "a figure that was never published",
        ),
        not_less(
            "it_is_told_after_it_happened",
            "published_at",
            "changed_at",
            "a channel was told before it happened",
        ),
        unique("sku_is_there_once", ("channel", "sku"), "a channel has two figures for one SKU"),
        is_true("is_the_last", "a newer message says something else"),
    ),
    blocks_by=("channel", "sku"),
)
