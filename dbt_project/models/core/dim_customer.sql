with customers as (
    select * from {{ ref('stg_customer') }}
),

orders as (
    select * from {{ ref('stg_order_placed') }}
),

from_orders as (
    select
        customer_id,
        max(country_code) as country_code,
        min(occurred_at) as first_ordered_at,
        max(occurred_at) as last_ordered_at,
        count(*) as order_count
    from orders
    where customer_id is not null
    group by customer_id
),

final as (
    select
        coalesce(customers.customer_id, from_orders.customer_id) as customer_id,
        coalesce(customers.country_code, from_orders.country_code) as country_code,
        from_orders.first_ordered_at,
        from_orders.last_ordered_at,
        coalesce(from_orders.order_count, 0) as order_count
    from customers
    full outer join from_orders on customers.customer_id = from_orders.customer_id
)

select * from final
