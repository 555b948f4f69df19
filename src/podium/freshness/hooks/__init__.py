"""Webhooks, in the order of the data.

======================  ================================================================================
``hook_events.py``      what a delivery means, in the words of no host
``hook_steps.py``       what follows from it: a count now or later, a question to the host, or nothing
``hook_deliveries.py``  apply that to the database
``hook_checks.py``      do what hooks have asked for when it is due
======================  ================================================================================
"""
