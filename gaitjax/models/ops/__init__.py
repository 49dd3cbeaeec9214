"""Operations in a plain form, and in the form that a platform needs where that is much faster.

`platforms` picks when a program is compiled; a TPU always gets the plain form. docs/performance.md
has what each of the others gains.
"""

from gaitjax.models.ops.attention import attention as attention
from gaitjax.models.ops.batch_norm import normalise as normalise
from gaitjax.models.ops.batch_norm import normalise_product as normalise_product
from gaitjax.models.ops.convolution import conv as conv
from gaitjax.models.ops.platforms import only_plain as only_plain
from gaitjax.models.ops.product import keep_products as keep_products
from gaitjax.models.ops.product import product as product
