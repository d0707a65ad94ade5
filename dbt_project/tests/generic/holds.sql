{#- Something that is true of every row; an unknown answer is a failure too. -#}
{% test holds(model, expression) %}
select *
from {{ model }}
where ({{ expression }}) is not true
{% endtest %}
