-- Built whole each time: a late line, a price or a movement changes days of before.
with order_lines as (
    select * from {{ ref('fct_order_lines') }}
),

components as (
    select * from {{ ref('stg_order_line_component') }}
),

prices as (
    select * from {{ ref('stg_price') }}
),

days as (
    select * from {{ ref('dim_date') }}
),

stock_movements as (
    select * from {{ ref('fct_stock_movements') }}
),

moved as (
    select
        sku,
        trading_date,
        sum(moved_quantity) as moved_quantity
    from stock_movements
    group by sku, trading_date
),

positions as (
    select
        sku,
        trading_date as from_date,
        lead(trading_date) over (partition by sku order by trading_date) as to_date,
        sum(moved_quantity) over (
            partition by sku
            order by trading_date
            rows between unbounded preceding and current row
        ) as closing_quantity
    from moved
),

-- A bundle is asked for as what is in it.
asked as (
    select
        order_lines.order_id,
        order_lines.region,
        order_lines.channel,
        order_lines.trading_date,
        coalesce(components.sku, order_lines.sku) as sku,
        order_lines.ordered_quantity * coalesce(components.quantity_per_bundle, 1) as quantity
    from order_lines
    left join components
        on
            order_lines.order_id = components.order_id
            and order_lines.line_number = components.line_number
),

-- A price below the one before it is a promotion for four weeks, and the usual one after that.
changes as (
    select
        sku,
        channel,
        unit_price,
        cast(occurred_at as date) as valid_from_date,
        lag(unit_price) over (partition by sku, channel order by occurred_at) as former_price,
        cast(lead(occurred_at) over (partition by sku, channel order by occurred_at) as date)
            as valid_to_date
    from prices
),

promotions as (
    select
        sku,
        channel,
        valid_from_date,
        valid_to_date
    from changes
    where unit_price < former_price
),

promoted as (
    select distinct
        asked.region,
        asked.sku,
        asked.trading_date
    from asked
    inner join promotions
        on
            asked.sku = promotions.sku
            and asked.channel = promotions.channel
            and asked.trading_date >= promotions.valid_from_date
            and asked.trading_date < promotions.valid_from_date + interval '28 days'
            and (
                promotions.valid_to_date is null
                or asked.trading_date < promotions.valid_to_date
            )
),

daily as (
    select
        region,
        sku,
        trading_date,
        count(distinct order_id) as order_count,
        sum(quantity) as ordered_quantity,
        max(quantity) as largest_line_quantity
    from asked
    group by region, sku, trading_date
),

-- Days on which nothing was there and nobody asked: the demand could not show itself.
series as (
    select
        region,
        sku,
        min(trading_date) as first_date
    from daily
    group by region, sku
),

empty_days as (
    select
        series.region,
        positions.sku,
        days.calendar_date as trading_date
    from positions
    inner join series on positions.sku = series.sku
    inner join days
        on
            positions.from_date < days.calendar_date
            and (positions.to_date is null or positions.to_date > days.calendar_date)
            and series.first_date <= days.calendar_date
    where positions.closing_quantity <= 0
),

final as (
    select
        coalesce(daily.region, empty_days.region) as region,
        coalesce(daily.sku, empty_days.sku) as sku,
        coalesce(daily.trading_date, empty_days.trading_date) as demand_date,
        cast(coalesce(daily.order_count, 0) as bigint) as order_count,
        cast(coalesce(daily.ordered_quantity, 0) as bigint) as ordered_quantity,
        cast(coalesce(daily.largest_line_quantity, 0) as bigint) as largest_line_quantity,
        coalesce(daily.ordered_quantity, 0) = 0 as is_out_of_stock,
        promoted.sku is not null as is_promoted
    from daily
    full outer join empty_days
        on
            daily.region = empty_days.region
            and daily.sku = empty_days.sku
            and daily.trading_date = empty_days.trading_date
    left join promoted
        on
            daily.region = promoted.region
            and daily.sku = promoted.sku
            and daily.trading_date = promoted.trading_date
)

select * from final
