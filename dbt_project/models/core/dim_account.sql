with final as (
    {% for account_name in [
        'customer_deposits', 'tax_payable', 'goods_revenue', 'charge_revenue', 'cost_of_goods',
    ] %}
    select
        '{{ var("account_codes")[account_name] }}' as account_code,
        '{{ account_name }}' as account_name
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
)

select * from final
