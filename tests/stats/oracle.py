"""rsatoolbox, the independent implementation that RSA numbers are held against."""

import os
import warnings

import numpy as np
import pytest

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import rsatoolbox
        from rsatoolbox.inference import boot_noise_ceiling
        from rsatoolbox.rdm import RDMs, calc_rdm, compare
except ImportError:
    if os.environ.get("WORKBENCH_REQUIRE_ALL"):
        raise
    pytest.skip("rsatoolbox is not installed (extra `oracle`)", allow_module_level=True)


def distances(x):
    """(features, stimuli, stimuli) squared Euclidean distances of x (stimuli, features[, channels])."""
    x = x if x.ndim == 3 else x[:, :, None]
    return np.square(x[:, None] - x[None]).sum(axis=-1).transpose(2, 0, 1)


def scores(x, model, comparison):
    """rsatoolbox's comparison of each feature's squared distances with a model RDM."""
    d = distances(x)
    d = np.round(d / d.max(), 12)  # it ranks what rounding leaves of equal distances
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return compare(RDMs(d), RDMs(np.asarray(model, dtype=float)[None]), method=comparison)[:, 0]


def crossnobis(x, conditions, folds):
    data = rsatoolbox.data.Dataset(x, obs_descriptors={"condition": conditions, "fold": folds})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = calc_rdm(data, method="crossnobis", descriptor="condition", cv_descriptor="fold")
    return found.get_matrices()[0]


def noise_ceiling(rdms):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return boot_noise_ceiling(RDMs(rdms), method="corr")
