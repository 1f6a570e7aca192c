"""Stars, forks, pushes and releases of a repository."""

from __future__ import annotations

from typing import Any

from translators.github.source import github
from translators.kit import Event, Skip


@github.tracks({"star.created": "Repository Starred", "star.deleted": "Repository Unstarred"})
def repository(event: Event) -> dict[str, Any]:
    record = event.body.maybe("repository")
    return {
        **record.select(repository_id="id:id", repository_name="full_name:text", private="private:flag"),
        "organization": event.body.opt.text("organization.login"),
    }


@github.tracks({"fork": "Repository Forked"})
def forked(event: Event) -> dict[str, Any]:
    fork = event.body.object("forkee")
    return repository(event) | fork.select(fork_name="full_name:text!", url="html_url:text")


@github.tracks({"push": "Code Pushed"})
def pushed(event: Event) -> dict[str, Any]:
    body = event.body
    if body.flag("deleted", default=False):
        raise Skip("a branch or tag was deleted; nothing was pushed")
    return {
        **repository(event),
        **body.select("ref:text!", commit_id="after:text"),
        "commits": len(list(body.each("commits"))),
        "forced": body.opt.flag("forced"),
    }


@github.tracks({"release.published": "Release Published"})
def released(event: Event) -> dict[str, Any]:
    release = event.body.object("release")
    return {
        **repository(event),
        **release.select(
            release_id="id:id!",
            release_name="name:text",
            tag="tag_name:text",
            prerelease="prerelease:flag",
            url="html_url:text",
        ),
    }
