with final as (
    {% for account_name, account_code in var('account_codes').items() %}
    select
        '{{ account_code }}' as account_code,
        '{{ account_name }}' as account_name
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
)

select * from final
