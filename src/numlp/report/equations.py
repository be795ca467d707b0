r"""The equations of a step: of layers, activations, losses and optimizers, by their names.

x are a layer's inputs, z its sums, a its activations, t the targets, δ the gradient of the mean loss L at what a
layer gives, θ all parameters, g their gradients, η the learning rate, n the rows of the batch.
"""

LAYERS = {
    "linear": [r"z_j = \sum_i x_i w_{ij} + b_j"],
    "linear back": [
        r"\frac{\partial L}{\partial w_{ij}} = \sum_{\text{rows}} x_i \delta_j , \quad "
        r"\frac{\partial L}{\partial b_j} = \sum_{\text{rows}} \delta_j",
        r"\frac{\partial L}{\partial x_i} = \sum_j \delta_j w_{ij}",
    ],
    "activate back": [r"\frac{\partial L}{\partial z_j} = \frac{\partial L}{\partial a_j} \cdot f ' ( z_j )"],
    "scale": [r"x_i = ( v_i - s_i ) f_i \text{ for a value } v_i \text{ of the data}"],
    "oriented_gradients": [
        r"a_k = \max ( 0 , g_x \cos \theta_k + g_y \sin \theta_k ) , \quad p_k = P a_k P^\top",
        r"x_k = \frac{p_k}{\sqrt{E + 0.05}} , \quad E = \sum_{\text{cells around}} \sum_k p_k^2",
    ],
    "encode": [r"x = \frac{c}{\sqrt{1 + (c / 10)^2}} \text{ for a scaled number } c"],
    "batch_norm": [r"y_j = s_j \frac{z_j - \mu_j}{\sqrt{\sigma_j^2 + \epsilon}} + h_j \text{ , over the rows}"],
    "batch_norm back": [
        r"\frac{\partial L}{\partial z_j} = \frac{s_j}{\sqrt{\sigma_j^2 + \epsilon}} ( \delta_j - "
        r"\frac{1}{n} \sum \delta_j - \frac{\hat{z}_j}{n} \sum \delta_j \hat{z}_j )"
    ],
    "layer_norm": [r"y_j = s_j \frac{z_j - \mu}{\sqrt{\sigma^2 + \epsilon}} + h_j \text{ , over the units}"],
    "layer_norm back": [
        r"\frac{\partial L}{\partial z_j} = \frac{1}{\sqrt{\sigma^2 + \epsilon}} ( s_j \delta_j - "
        r"\frac{1}{m} \sum_k s_k \delta_k - \frac{\hat{z}_j}{m} \sum_k s_k \delta_k \hat{z}_k )"
    ],
    "decay": [r"w \leftarrow (1 - \eta \lambda) w"],
}
ACTIVATIONS = {
    "identity": [r"a_j = z_j"],
    "relu": [r"a_j = \max ( z_j , 0 )"],
    "leaky_relu": [r"a_j = \max ( z_j , s z_j )"],
    "elu": [r"a_j = z_j \text{ if } z_j > 0 \text{ , else } \alpha ( e^{z_j} - 1 )"],
    "selu": [r"a_j = \lambda z_j \text{ if } z_j > 0 \text{ , else } \lambda \alpha ( e^{z_j} - 1 )"],
    "gelu": [r"a_j = z_j \Phi ( z_j )"],
    "gelu_tanh": [r"a_j = \frac{1}{2} z_j ( 1 + \tanh ( \sqrt{\frac{2}{\pi}} ( z_j + 0.044715 z_j^3 ) ) )"],
    "silu": [r"a_j = \frac{z_j}{1 + e^{- z_j}}"],
    "mish": [r"a_j = z_j \tanh ( \log ( 1 + e^{z_j} ) )"],
    "tanh": [r"a_j = \tanh ( z_j )"],
    "sigmoid": [r"a_j = \frac{1}{1 + e^{- z_j}}"],
    "softplus": [r"a_j = \log ( 1 + e^{z_j} )"],
}
LOSSES = {
    "softmax_cross_entropy": [
        r"p_k = \frac{e^{z_k}}{\sum_l e^{z_l}} , \quad L = - \sum_k t_k \log p_k",
        r"\frac{\partial L}{\partial z_k} = p_k - t_k",
    ],
    "sigmoid_binary_cross_entropy": [
        r"a_k = \frac{1}{1 + e^{- z_k}} , \quad L = - \sum_k t_k \log a_k + ( 1 - t_k ) \log ( 1 - a_k )",
        r"\frac{\partial L}{\partial z_k} = a_k - t_k",
    ],
    "sigmoid_squared_error": [
        r"a_k = \frac{1}{1 + e^{- z_k}} , \quad L = \frac{1}{2} \sum_k ( a_k - t_k )^2",
        r"\frac{\partial L}{\partial z_k} = ( a_k - t_k ) a_k ( 1 - a_k )",
    ],
    "squared_error": [
        r"L = \frac{1}{2} \sum_k ( z_k - t_k )^2 , \quad \frac{\partial L}{\partial z_k} = z_k - t_k",
    ],
    "absolute_error": [
        r"L = \sum_k | z_k - t_k | , \quad \frac{\partial L}{\partial z_k} = \sign ( z_k - t_k )",
    ],
    "huber": [
        r"e_k = z_k - t_k , \quad c_k = \clip ( e_k ) , \quad L = \sum_k \frac{1}{2} c_k ( 2 e_k - c_k )",
        r"\frac{\partial L}{\partial z_k} = c_k",
    ],
    "poisson": [r"L = \sum_k e^{z_k} - t_k z_k , \quad \frac{\partial L}{\partial z_k} = e^{z_k} - t_k"],
    "quantile": [
        r"L = \sum_{q , k} \max ( q e_{qk} , ( q - 1 ) e_{qk} ) , \quad e_{qk} = t_k - z_{qk}",
        r"\frac{\partial L}{\partial z_{qk}} = - q \text{ if } e_{qk} > 0 \text{ , else } 1 - q",
    ],
    "gaussian_negative_log_likelihood": [
        r"L = \frac{1}{2} \sum_k s_k + ( t_k - m_k )^2 e^{- s_k}",
        r"\frac{\partial L}{\partial m_k} = ( m_k - t_k ) e^{- s_k} , \quad "
        r"\frac{\partial L}{\partial s_k} = \frac{1}{2} ( 1 - ( t_k - m_k )^2 e^{- s_k} )",
    ],
}
_ADAM = [
    r"m \leftarrow \beta_1 m + ( 1 - \beta_1 ) g , \quad v \leftarrow \beta_2 v + ( 1 - \beta_2 ) g^2",
    r"\theta \leftarrow \theta - \eta \frac{\hat{m}}{\sqrt{\hat{v}} + \epsilon}",
]
OPTIMIZERS = {
    "sgd": [r"v \leftarrow \mu v + g , \quad \theta \leftarrow \theta - \eta v"],
    "adam": _ADAM,
    "adamw": _ADAM,
    "rmsprop": [
        r"v \leftarrow \rho v + ( 1 - \rho ) g^2",
        r"\theta \leftarrow \theta - \eta \frac{g}{\sqrt{v} + \epsilon}",
    ],
    "lion": [
        r"\theta \leftarrow \theta - \eta \sign ( \beta_1 m + ( 1 - \beta_1 ) g )",
        r"m \leftarrow \beta_2 m + ( 1 - \beta_2 ) g",
    ],
}
