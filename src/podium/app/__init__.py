"""The composition root: the only package that turns settings into objects and puts a process together.

===================  ==================================================
``factories``        one object from the settings
``startup``          what every process does first
``server_process``   ``podium serve``
``worker_process``   ``podium _work``, and the workers of the server
``counting_child``   counts in child processes, and what their end means
``count_process``    ``podium _count``: a child counts repositories
``operations``       what operators' commands and the metrics page read
===================  ==================================================

The packages below import each other one way only (the table in ``docs/architecture.md``). What one of them needs from a
package that it must not import, this package passes to it as a value or function.
"""
