"""Job queues on top of the database: broker, lease, claims, retries, reconciler.

The database knows what has to be done. A message carries only ids and wakes a worker. It may arrive twice, late or
never: the reconciler enqueues what is due in the database and in no queue.

Fairness. One large repository, or one client that submits many, must not delay the others. Three rules ensure that:

1. Order (:mod:`podium.repositories.fair_queue`): a commit worker takes the next repository of a start-time fair queue
   over clients, whichever repository its message names (:func:`podium.jobs.lease.grab_next`).
2. Overflow (:mod:`podium.jobs.overflow`): a count that runs longer than ``PODIUM_LONG_JOB_SECONDS`` moves off its
   worker thread, or makes way for a quick repository of another client. The thread takes the next message.
3. Batches (:data:`podium.jobs.reconciler.AT_ONCE`): at most eight batches of a repository's e-mails are in the user
   queue at a time. Each finished batch enqueues another. A small repository waits for a few batches of a large one,
   not for all.
"""
