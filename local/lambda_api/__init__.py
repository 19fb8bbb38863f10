"""Lambda's API for the stack's functions."""

from local.lambda_api.api import LambdaApi

__all__ = ["LambdaApi"]
