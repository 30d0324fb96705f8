"""scikit-learn's ``MLPClassifier``: no accuracy in training, and no sigmoid on the scores, which it cannot have."""

from __future__ import annotations

from typing import Any

from benchmarks.peers.contest import Contest, accuracy
from benchmarks.peers.tasks import Task


def contest(task: Task) -> Contest:
    """``fit`` for the task's epochs; arrays of the task's own dtype, which it computes in."""
    from sklearn.neural_network import MLPClassifier

    train, test = task.load()
    found: list[Any] = []

    def fresh() -> Any:
        network = MLPClassifier(
            (task.units,),
            activation="logistic",
            solver="sgd",
            alpha=0.0,
            batch_size=task.batch_rows,
            learning_rate_init=task.lr,
            momentum=0.0,
            max_iter=task.epochs,
            shuffle=task.shuffle,
            random_state=0,
        )
        found[:] = [network]
        return lambda: network.fit(train.inputs, train.targets)

    return Contest(fresh, lambda: accuracy(found[0].predict(test.inputs), test))
