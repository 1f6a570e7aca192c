"""Ignored events and why. https://docs.github.com/en/webhooks/webhook-events-and-payloads"""

from translators.github.source import github

github.ignore("ping", because="GitHub's test of this URL")
github.ignore("watch.*", because="a star, which star.created reports with its time")
github.ignore(
    "check_*", "workflow_*", "status", "deployment*", "page_build", "repository_dispatch.*",
    because="a build or a deployment; our vocabulary has no event for it",
)  # fmt: skip
github.ignore("create", "delete", because="a branch or tag was created or removed; push reports the commits")
github.ignore(
    "issues.*", "issue_comment.*", "pull_request.*", "release.*", "discussion.*", "discussion_comment.*",
    "commit_comment.*", "gollum", "milestone.*", "label.*", "project*", "sub_issues.*", "issue_dependencies.*",
    "package.*", "registry_package.*", because="our vocabulary has no event for it",
)  # fmt: skip
github.ignore(
    "pull_request_review.*", "pull_request_review_*",
    because="a comment, an edit or the dismissal of a review; pull_request_review.submitted reports the review",
)  # fmt: skip
github.ignore("merge_group.*", because="the merge queue; pull_request.closed reports the merge")
github.ignore(
    "installation.*", "installation_repositories.*",
    because="permissions, repositories or suspension of an app that stays installed",
)  # fmt: skip
github.ignore("installation_target.*", because="an account that has your app was renamed")
github.ignore("github_app_authorization.*", because="a user revoked an authorisation of your app; it stays installed")
github.ignore(
    "code_scanning_alert.*", "dependabot_alert.*", "secret_scanning_*", "security_advisory.*", "repository_advisory.*",
    "repository_vulnerability_alert.*", because="a security alert or advisory, not a customer event",
)  # fmt: skip
github.ignore(
    "branch_protection_*", "deploy_key.*", "meta.*", "org_block.*", "personal_access_token_request.*", "public",
    "repository_*", "bypass_request_*", "custom_property*", "security_and_analysis*", "member*", "team*",
    "organization.*", "repository.*", because="the administration of an account, its members or a repository",
)  # fmt: skip
