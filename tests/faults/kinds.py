"""Small trainings that together have all that must go on exactly: each a fraction of a second."""

from __future__ import annotations

DATA = "data: {kind: digits, split_rows: 60, val_fraction: 0.3, normalize: standard}"

NUMPY = f"""
name: by-numpy
{DATA}
model: {{kind: numpy-resnet, layers: [{{kind: dense, units: 8}}, {{kind: residual, units: 6}}], dropout: 0.1}}
train:
  epochs: 60
  batch_size: 16
  lr: 0.05
  optimizer: {{kind: sgd, momentum: 0.9}}
  schedule: {{kind: cosine, warmup_fraction: 0.2}}
  average_decay: 0.9
  best_by: loss
  patience_epochs: 12
threads: 1
"""
TENSOR = f"""
name: by-tensor
{DATA}
model: {{kind: tensor-mlp, hidden_sizes: [9], activation: tanh}}
train:
  epochs: 40
  batch_size: 16
  lr: 0.02
  weight_decay: 0.01
  optimizer: {{kind: adamw}}
  schedule: {{kind: step, every_epochs: 15}}
  average_decay: 0.9
  score_test: epoch
threads: 1
"""
CNN = f"""
name: by-cnn
{DATA}
model: {{kind: digits-cnn, channels: [3, 4], dropout: 0.2}}
train:
  epochs: 30
  batch_size: 16
  lr: 0.01
  weight_decay: 0.01
  optimizer: {{kind: adam}}
  schedule: {{kind: one-cycle}}
  label_smoothing: 0.1
  average_decay: 0.9
  best_by: loss
  patience_epochs: 8
  augment: {{shift_fraction: 0.1, rotate_degrees: 10, mixup_alpha: 0.2, erase_fraction: 0.1}}
threads: 1
"""
NORMED = f"""
name: by-norm
{DATA}
model: {{kind: grocery-cnn, stem_channels: 4, stages: [[4, 1, 2, 1]], dropout: 0.2}}
train:
  epochs: 12
  batch_size: 16
  lr: 0.02
  optimizer: {{kind: sgd, momentum: 0.9, nesterov: true}}
  schedule: {{kind: cosine}}
  precision: bfloat16
  statistics_rows: 32
  average_decay: 0.9
  augment: {{crop_fraction: 0.2}}
threads: 1
"""
STACK = f"""
name: by-stack
{DATA}
model: {{kind: numpy-resnet, layers: [{{kind: dense, units: 8}}], loss: least-squares}}
train:
  epochs: 40
  batch_size: 16
  lr: 0.05
  optimizer: {{kind: sgd, momentum: 0.9}}
  schedule: {{kind: cosine}}
  patience_epochs: 9
threads: 1
"""
RATES = "0.002,0.02,0.05,1e9"  # the last is lost at once, and the others stop at different epochs

KINDS = {"numpy": NUMPY, "tensor": TENSOR, "cnn": CNN, "normed": NORMED, "stack": STACK}
