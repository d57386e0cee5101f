"""The deployed stack on this machine: a local AWS, the built package, `sam deploy` into it.

    with local_aws() as aws, deployed(aws, {"SmugMugNickname": "larkfield"}) as stack:
        stack.put_secret({"api_key": "…"})
        answer = stack.invoke({"action": "backup"})

Nothing here needs a container or the network; whatever was started is stopped at the end of its
`with` block, also after a failure.
"""

from tests.stack.deploy import Answer, DeployError, Stack, deploy, deployed
from tests.stack.ministack import LocalAws, local_aws
from tests.stack.package import built_package, built_template, python_version

__all__ = [
    "Answer",
    "DeployError",
    "LocalAws",
    "Stack",
    "built_package",
    "built_template",
    "deploy",
    "deployed",
    "local_aws",
    "python_version",
]
