"""The verb that looks at the installation, and measures how often the tests cry wolf."""

from __future__ import annotations

from pydantic import Field

from workbench.verbs import Query


class Doctor(Query):
    """Say what this installation has, what is missing and how to mend it; --calibrate measures the tests."""

    dotted = "doctor"
    sessionless = True

    calibrate: bool = Field(False, description="Measure the false-positive rate of every test on simulated nulls")
    seeds: int = Field(100, ge=1, le=2000, description="Data sets of each test and kind of null")
    tests: tuple[str, ...] = Field((), description="Only these tests (default: every one there is)")
    scenarios: tuple[str, ...] = Field(
        (), description="Only these nulls (default: Gaussian, sparse, shared template, variable length)"
    )
    features: int = Field(300, ge=1, le=5000, description="Features of each data set")
    permutations: int = Field(200, ge=20, le=5000, description="Label permutations of each test")
    alpha: float = Field(0.05, gt=0, lt=1, description="The rate that is promised")
    seed: int = Field(0, ge=0, description="Seed of the data sets")
