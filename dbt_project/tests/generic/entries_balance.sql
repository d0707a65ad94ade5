{#- Every journal entry adds up to zero per currency. -#}
{% test entries_balance(model) %}
select
    entry_id,
    currency_code
from {{ model }}
group by entry_id, currency_code
having sum(posted_amount) <> 0
{% endtest %}
