"""Operations in a plain form, and in the form that a CPU needs where that is much faster.

Accelerators run the plain form: `lax.platform_dependent` picks when a program is compiled.
docs/performance.md has what each of the others gains.
"""

from gaitjax.models.ops.convolution import conv as conv
from gaitjax.models.ops.convolution import only_plain as only_plain
from gaitjax.models.ops.product import keep_products as keep_products
from gaitjax.models.ops.product import product as product
