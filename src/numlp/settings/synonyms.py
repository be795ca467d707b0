"""Synonyms: what numlp's names are called elsewhere, so that an error can name the right one.

They are for hints alone: numlp accepts each thing under one name.
"""

import difflib
from collections.abc import Iterable

_COMPARED = 1000  # names to search for the nearest

# Other libraries' and papers' names, by ours. A name with settings in parentheses stands for its first word.
_SYNONYMS = {
    # losses
    "squared_error": "mse, mse_loss, mean_squared_error, l2, l2_loss, quadratic, least_squares, rmse",
    "absolute_error": "mae, mae_loss, mean_absolute_error, l1, l1_loss",
    "huber": "huber_loss, smooth_l1, smooth_l1_loss",
    "softmax_cross_entropy": "ce, cross_entropy, cross_entropy_loss, softmax, softmax_loss, log_loss, nll, nll_loss, "
    "categorical_cross_entropy, sparse_categorical_cross_entropy, negative_log_likelihood",
    "sigmoid_binary_cross_entropy": "bce, bce_loss, bce_with_logits, bce_with_logits_loss, binary_cross_entropy, "
    "binary, binary_log_loss, logistic, logistic_loss",
    "sigmoid_squared_error": "brier, brier_score, brier_loss",
    "poisson": "poisson_loss, poisson_nll, poisson_nll_loss, poisson_deviance",
    "quantile": "pinball, pinball_loss, quantile_loss, quantiles, quantile_regression",
    "gaussian_negative_log_likelihood": "gaussian, gaussian_nll, gaussian_nll_loss, normal, heteroscedastic",
    # activations
    "identity": "linear, none",
    "relu": "rectifier, rectified_linear, rectified_linear_unit",
    "leaky_relu": "lrelu, prelu",
    "silu": "swish",
    "sigmoid": "logistic, expit",
    "tanh": "hyperbolic_tangent",
    # initializers
    "he_normal": "he, kaiming, kaiming_normal, msra",
    "he_uniform": "kaiming_uniform",
    "glorot_normal": "xavier_normal",
    "glorot_uniform": "glorot, xavier, xavier_uniform",
    "lecun_normal": "lecun",
    "small_normal": "normal, random_normal, gaussian",
    "zeros": "zero, constant",
    # normalizations and scalings
    "batch": "batch_norm, batch_normalization, bn",
    "layer": "layer_norm, layer_normalization, ln",
    "standardize": "standard, standard_scaler, z_score, normalize, normal, mean_std, auto",
    "unit": "min_max, min_max_scaler, none, raw, identity",
    "float32": "float, single, f32, fp32, f4",
    "float64": "double, f64, fp64, f8",
    "ordinary": "numpy, blas, native, default",
    "portable": "exact, reproducible, deterministic, bit_exact, bitwise",
    # optimizers and schedules
    "sgd": "gd, gradient_descent, stochastic_gradient_descent",
    "sgd(momentum = 0.9)": "momentum, sgdm, sgd_momentum, heavy_ball",
    "sgd(momentum = 0.9, nesterov = true)": "nesterov, nag, nesterov_momentum",
    "adamw": "adam_w, adam_weight_decay",
    "rmsprop": "rms",
    "constant": "none, fixed, off",
    "step": "step_lr, multi_step, multi_step_lr, step_decay, piecewise_constant",
    "exponential": "exp, exponential_lr, exponential_decay",
    "cosine": "cosine_lr, cosine_decay, cosine_annealing, cosine_annealing_lr",
    "one_cycle": "one_cycle_lr, super_convergence",
    "reduce_on_plateau": "plateau, adaptive, reduce_lr_on_plateau",
    # settings, as in recipes and options
    "learning_rate": "lr, eta, eta0, learning_rate_init, initial_learning_rate, max_lr, base_lr",
    "batch_size": "batch, bs, minibatch, mini_batch, mini_batch_size, batchsize",
    "layers": "hidden, hidden_layers, hidden_layer_sizes, hidden_sizes, hidden_size, hidden_units, layer_size, "
    "layer_sizes, units, widths, width, neurons, depth, n_layers, num_layers, architecture",
    "epochs": "epoch, n_epochs, num_epochs, max_epochs, max_iter, iterations, passes, e, n",
    "seed": "random_state, random_seed, rng, rng_seed, s",
    "patience": "early_stopping, early_stop, n_iter_no_change, stop_after",
    "min_delta": "tol, tolerance",
    "monitor": "metric, watch, early_stopping_monitor",
    "validation": "val, valid, val_split, validation_split, validation_fraction, validation_data, dev, holdout",
    "test": "testing, test_data, test_set",
    "activation": "act, activations, activation_function, nonlinearity",
    "loss": "criterion, loss_function, objective, cost, loss_fn",
    "optimizer": "optim, optimiser, solver, opt, algorithm",
    "optimizer 'sgd(momentum = 0.9)'": "momentum, nesterov, nesterovs_momentum",
    "optimizer 'adamw(weight_decay = 0.01)'": "weight_decay, wd, decay, alpha",
    "optimizer 'adam(beta1 = 0.9)'": "beta1, beta_1, betas",
    "optimizer 'adam(beta2 = 0.999)'": "beta2, beta_2",
    "optimizer 'adam(epsilon = 1e-8)'": "eps, epsilon",
    "schedule": "scheduler, lr_scheduler, lr_schedule, learning_rate_schedule, learning_rate_scheduler, lr_decay, "
    "learning_rate_decay",
    "schedule 'cosine(warmup = 1)'": "warmup, warm_up, warmup_epochs",
    "initializer": "init, initialization, kernel_initializer, weight_init",
    "normalization": "norm, batch_norm, batchnorm, layer_norm, bn",
    "input_scaling": "scaling, scale, scaler, normalize, standardize, rescale, preprocessing",
    "dtype": "precision, type, float_type",
    "threads": "num_threads, n_threads, nthreads, thread, blas_threads, omp_num_threads, openblas_num_threads",
    "processes": "process, procs, n_processes, num_processes, n_procs, nproc, jobs, n_jobs, j, workers, num_workers, "
    "n_workers, cpus, cores, num_cpus, n_cpus, n_cores, num_cores, nproc_per_node, parallel",
    "time_budget": "time, timeout, time_limit, max_time, budget, max_seconds, seconds",
    "dropout": "drop, drop_rate, dropout_rate, dropout_p, drop_prob",
    "noise": "gaussian_noise, hidden_noise",
    "l1": "l1_penalty, lasso, l1_reg",
    "l2": "l2_penalty, ridge, l2_reg, regularization, reg, reg_lambda",
    "max_norm": "maxnorm, kernel_constraint, max_norm_constraint",
    "label_smoothing": "smoothing, smooth",
    "augmentation": "augment, aug, augmentations, data_augmentation",
    "adversarial": "fgsm, adversarial_training",
    "clip_norm": "clip, grad_clip, gradient_clipping, clip_grad, clip_grad_norm, max_grad_norm, clip_gradients, "
    "gradient_clip_val",
    "clip_value": "clip_grad_value, gradient_clip_value",
    "teacher": "distill_from, teacher_model, master",
    "distillation": "distill, distill_weight, teacher_share",
    "averaging": "ema, swa, weight_averaging, polyak, moving_average, average",
    "ensemble": "n_models, members, bagging, n_members",
    "calibrate": "calibration, temperature, temperature_scaling",
    "snapshots": "snapshot, save_weights",
    "target": "label, labels, y, target_column, label_column, response, outcome, dependent",
    "weights": "sample_weight, sample_weights, weight, weight_column",
    "class_weight": "class_weights, balance, balanced, pos_weight",
    "task": "problem, mode, kind",
    # arguments and options of commands that aren't settings
    "data": "dataset, data_set, input, inputs, x, file, train_data, train, train_file",
    "model": "network, checkpoint, load, model_file",
    "output": "out, o, save, output_dir, output_folder, out_dir, outdir, output_path, save_dir, run_dir, log_dir, "
    "name, destination, filename, to",
    "recipe": "config, c, preset, params, settings_file, yaml, toml",
    "checkpoint_every": "checkpoint, checkpoints, checkpoint_interval, save_every, save_freq",
    "no_report": "skip_report, without_report",
    "split": "part, subset, set",
    "json": "as_json, format, print_json",
    "version": "v",
    "help": "usage, h, man",
    # settings of named values
    "momentum": "mu, beta",
    "beta1": "b1, betas, momentum",
    "beta2": "b2",
    "rho": "alpha, smoothing, decay_rate",
    "epsilon": "eps",
    "weight_decay": "wd, decay, l2",
    "slope": "alpha, negative_slope",
    "warmup": "warmup_epochs, warmup_steps, warm",
    "by": "gamma, factor, rate",
    "every": "step_size, period",
    "rise": "pct_start",
    "final": "eta_min, min_lr, final_div_factor, end",
    "figure": "monitor, metric",
    "levels": "quantiles, quantile, q, tau, taus, alpha, level",
    "rotation": "rotate, degrees, angle",
    "shift": "translate, translation",
    "scale": "zoom",
    "flip": "mirror, horizontal_flip",
    "erasing": "cutout, random_erasing",
    # tasks, splits, columns of the history, data sets, commands
    "classification": "classify, classifier, multiclass, binary",
    "labels": "multilabel, multi_label, multi_output",
    "regression": "regress, regressor",
    "train": "fit, training, learn, run",
    "evaluate": "eval, test, score, validate, metrics, benchmark",
    "predict": "infer, inference, classify, apply, predict_proba, prediction",
    "resume": "continue, restart, restore",
    "compare": "diff, versus",
    "inspect": "info, show, summary, describe, cat, dump",
    "export": "convert, to_onnx, onnx, save",
    "import": "from_onnx, load",
    "find-lr": "lr_find, lr_finder, find_learning_rate, range_test, lr_range_test, lr",
    "report": "html, plot, plots, visualize, page",
    "datasets": "data, list, download, ls",
    "recipes": "configs, presets, settings, defaults",
    "validation_loss": "val_loss, valid_loss, loss, test_loss, eval_loss",
    "validation_accuracy": "val_accuracy, val_acc, valid_acc, accuracy, acc, test_accuracy",
    "validation_r2": "val_r2, r2",
    "train_loss": "training_loss",
    "train_accuracy": "train_acc, training_accuracy",
    "mnist": "digits, mnist_784",
    "fashion-mnist": "fashion, fmnist",
}


def nearest(name: object, choices: Iterable[str]) -> str | None:
    """Return the choice that a name means: by another case, by a synonym, or by a typing mistake.

    >>> nearest("adamW", ["sgd", "adam", "adamw"]), nearest("mse", ["squared_error", "huber"])
    ('adamw', 'squared_error')
    >>> nearest("momentum", ["sgd", "adam"]), nearest("rellu", ["relu"]), nearest("quicksort", ["relu"])
    ('sgd(momentum = 0.9)', 'relu', None)
    """
    folded = {_folded(choice): choice for choice in reversed(list(choices))}
    text = _folded(str(name))
    if text in folded:
        return folded[text]
    for ours in _BY_SYNONYM.get(text, ()):
        choice = folded.get(_folded(_first_word(ours)))
        if choice is not None:
            return ours.replace(_first_word(ours), choice, 1)
    few = folded if len(folded) <= _COMPARED else ()  # comparing is slow
    close = difflib.get_close_matches(text, few, n=1)
    return folded[close[0]] if close else None


def _folded(name: str) -> str:
    """Return a name without its case and separators: "CrossEntropyLoss" and "cross_entropy_loss" are alike."""
    return "".join(character for character in name.casefold() if character.isalnum())


def _first_word(name: str) -> str:
    return name.split("(")[0].split(" ")[0]


def _by_synonym() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for ours, synonyms in _SYNONYMS.items():
        for synonym in synonyms.split(", "):
            found.setdefault(_folded(synonym), []).append(ours)
    return found


_BY_SYNONYM = _by_synonym()
