"""The composition root: the only package that turns settings into objects and puts a process together.

===================  =================================================================
``factories``        one object from the settings: database, queues, source, jobs, look-up
``startup``          what every process does first
``server_process``   ``podium serve``: the web, and both workers unless they are elsewhere
``worker_process``   ``Worker``, the queues and what works them off; ``podium _work``
``count_process``    ``podium _count``: a child of the server counts one repository
``operations``       what an operator's commands and the metrics page read
===================  =================================================================

Packages that hold the work (``accounts``, ``counting``, ``clones``, …) do not import each other. What one needs of
another is passed in here, as a function.
"""
