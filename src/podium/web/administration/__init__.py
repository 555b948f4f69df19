"""The pages of the signed-in administrator, at ``/admin``: queues, failures, workers, blocks and the audit log.

They need no script. Each form carries a token of its session, besides the checks of the request's origin.
"""
