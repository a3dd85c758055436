"""Tenant scope that fails closed.

A model that people may read names, in `SCOPE`, the lookups that lead to the path of each party whose members may see
a row. `Model.visible` shows nothing until it is told who looks; `Model.objects` is for services only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django.db import models

if TYPE_CHECKING:
    from tiers.viewer import Viewer

M = TypeVar("M", bound=models.Model)


class VisibleManager(models.Manager[M]):
    """`Model.visible.for_viewer(viewer)`: rows of the viewer's party and of all below it; nothing without a viewer."""

    def get_queryset(self) -> models.QuerySet[M]:
        return super().get_queryset().none()

    def for_viewer(self, viewer: Viewer | None) -> models.QuerySet[M]:
        if viewer is None:
            return self.get_queryset()
        return super().get_queryset().filter(scope_filter(self.model, viewer))


def scope_filter(model: type[models.Model], viewer: Viewer) -> models.Q:
    """The condition under which rows of `model` belong to the viewer's part of the tree."""
    lookups: tuple[str, ...] = getattr(model, "SCOPE", ())
    if not lookups:
        return models.Q(pk__in=[])
    condition = models.Q()
    for lookup in lookups:
        condition |= models.Q(**{f"{lookup}__startswith": viewer.path})
    return condition


class Scoped(models.Model):
    """Mix-in: `objects` for services, `visible` for people."""

    SCOPE: ClassVar[tuple[str, ...]] = ()

    objects: ClassVar[models.Manager[Any]] = models.Manager()
    visible: ClassVar[VisibleManager[Any]] = VisibleManager()

    class Meta:
        abstract = True
