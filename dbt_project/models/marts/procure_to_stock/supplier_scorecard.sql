with order_lines as (
    select * from {{ ref('fct_purchase_order_lines') }}
),

suppliers as (
    select * from {{ ref('dim_supplier') }}
),

reporting_time as (
    select * from {{ ref('dim_reporting_time') }}
),

held as (
    select
        supplier_id,
        currency_code,
        count(distinct invoice_id || '/' || cast(line_number as text)) as held_line_count,
        sum(value_difference) as held_amount
    from {{ ref('fct_invoice_holds') }}
    where status = 'held'
    group by supplier_id, currency_code
),

standings as (
    select
        supplier_id,
        standing
    from (
        select
            supplier_id,
            standing,
            row_number() over (
                partition by supplier_id order by effective_at desc, plan_id asc
            ) as recency
        from {{ ref('fct_supplier_standings') }}
    ) as ranked
    where recency = 1
),

judged as (
    select
        order_lines.*,
        order_lines.due_at <= reporting_time.as_of_at and not order_lines.is_closed as is_due,
        {{ seconds_between(
            'order_lines.ordered_at',
            'greatest(order_lines.ordered_at, order_lines.first_received_at)'
        ) }} as lead_seconds
    from order_lines
    cross join reporting_time
),

scored as (
    select
        supplier_id,
        currency_code,
        cast(count(distinct purchase_order_id) as bigint) as order_count,
        cast(count(*) as bigint) as line_count,
        cast(sum(case when is_due then 1 else 0 end) as bigint) as due_line_count,
        cast(
            sum(case when is_due and in_time_quantity >= ordered_quantity then 1 else 0 end)
            as bigint
        ) as on_time_in_full_line_count,
        cast(sum(ordered_quantity) as bigint) as ordered_quantity,
        cast(sum(delivered_quantity) as bigint) as delivered_quantity,
        cast(sum(rejected_quantity) as bigint) as rejected_quantity,
        cast(sum(ordered_amount) as decimal(18, 4)) as ordered_amount,
        cast(sum(price_variance_amount) as decimal(18, 4)) as price_variance_amount,
        {{ percentile('lead_seconds', 0.5) }} as median_lead_seconds,
        {{ percentile('lead_seconds', 0.95) }} as p95_lead_seconds
    from judged
    group by supplier_id, currency_code
),

final as (
    select
        scored.supplier_id,
        suppliers.supplier_name,
        scored.currency_code,
        coalesce(standings.standing, 'good') as standing,
        scored.order_count,
        scored.line_count,
        scored.due_line_count,
        scored.on_time_in_full_line_count,
        case
            when scored.due_line_count > 0
                then {{ rounded_quotient(
                    'scored.on_time_in_full_line_count', 'scored.due_line_count'
                ) }}
        end as on_time_in_full_rate,
        scored.ordered_quantity,
        scored.delivered_quantity,
        scored.rejected_quantity,
        case
            when scored.delivered_quantity > 0
                then {{ rounded_quotient('scored.rejected_quantity', 'scored.delivered_quantity') }}
        end as rejected_rate,
        cast(round(cast(scored.median_lead_seconds as decimal(18, 4)) / 86400, 4) as decimal(18, 4))
            as median_lead_days,
        cast(round(cast(scored.p95_lead_seconds as decimal(18, 4)) / 86400, 4) as decimal(18, 4))
            as p95_lead_days,
        scored.ordered_amount,
        scored.price_variance_amount,
        cast(coalesce(held.held_line_count, 0) as bigint) as held_line_count,
        cast(coalesce(held.held_amount, 0) as decimal(18, 4)) as held_amount
    from scored
    left join suppliers on scored.supplier_id = suppliers.supplier_id
    left join standings on scored.supplier_id = standings.supplier_id
    left join held
        on
            scored.supplier_id = held.supplier_id
            and scored.currency_code = held.currency_code
)

select * from final
