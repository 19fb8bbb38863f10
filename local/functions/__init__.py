"""Lambda functions as processes that run Lambda's own runtime client."""

from local.functions.configuration import Configuration
from local.functions.function import Function, functions_of
from local.functions.refusals import unsupported
from local.functions.sandbox import Answer

__all__ = ["Answer", "Configuration", "Function", "functions_of", "unsupported"]
