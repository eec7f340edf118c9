"""The pipeline for Prefect: a flow over the graph that dvc.yaml describes, and the composition of params.yaml."""
