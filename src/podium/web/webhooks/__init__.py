"""Webhooks of git hosts: ``POST /webhooks/github``, ``/gitlab``, ``/gitea``, ``/forgejo``.

A delivery is checked in this order, so that a stranger costs little: its length, its signature (a missing one before
the body is read), its content type, its JSON. What it means is in :mod:`podium.freshness`.
"""
