with publications as (
    select * from {{ ref('fct_availability_publications') }}
),

reporting as (
    select * from {{ ref('dim_reporting_time') }}
),

ranked as (
    select
        *,
        row_number() over (
            partition by channel, sku
            order by published_at desc, recorded_xid desc, publication_id asc
        ) as newest_first,
        count(*) over (partition by channel, sku) as publication_count
    from publications
),

final as (
    select
        ranked.channel,
        ranked.sku,
        ranked.published_quantity,
        ranked.available_quantity,
        ranked.available_quantity - ranked.published_quantity as held_back_quantity,
        case
            when ranked.available_quantity = 0 then 'sold_out'
            when ranked.published_quantity = 0 then 'kept_back'
            when ranked.published_quantity < ranked.available_quantity then 'limited'
            else 'in_full'
        end as offer,
        case
            when ranked.acknowledged_at is null then 'not_acknowledged'
            when ranked.acknowledged_at > reporting.as_of_at then 'not_acknowledged'
            else 'acknowledged'
        end as acknowledgement,
        ranked.publication_count,
        ranked.changed_at,
        ranked.published_at,
        ranked.acknowledged_at
    from ranked
    cross join reporting
    where ranked.newest_first = 1
)

select * from final
