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

The packages that do the work do not import each other. This package passes functions between them.
"""
