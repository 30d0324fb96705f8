"""Runs told to programs that others made: TensorBoard and MLflow. Extras, imported when they are asked for."""
