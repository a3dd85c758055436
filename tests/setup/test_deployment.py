"""What the deployment files say must be what the settings read: a variable misspelt there is found here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from billing.settings import ENVIRONMENT

CLONE = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((CLONE / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
APPLICATION = ["web", "worker", "beat", "migrate"]
NOT_FOR_PRODUCTION = {"DEBUG", "TOLLGATE_DEMO", "TOLLGATE_MAIL_DIR"}
SET_BY_IMAGE = {"MEDIA_ROOT", "STATIC_ROOT"}
SECRETS = {"SECRET_KEY", "OWNER_PASSWORD", "WEB_PASSWORD", "POSTGRES_PASSWORD"}


@pytest.mark.parametrize("name", APPLICATION)
def test_every_variable_of_the_application_is_one_that_settings_read(name: str) -> None:
    assert set(SERVICES[name]["environment"]) <= set(ENVIRONMENT)


def test_every_setting_is_set_in_production_or_left_out_on_purpose() -> None:
    given = set(SERVICES["web"]["environment"]) | SET_BY_IMAGE | NOT_FOR_PRODUCTION
    assert given == set(ENVIRONMENT)


def test_the_image_sets_where_files_are_kept() -> None:
    dockerfile = (CLONE / "Dockerfile").read_text()
    assert set(re.findall(r"\b([A-Z_]+)=/", dockerfile)) - {"PATH"} == SET_BY_IMAGE
    assert "USER tollgate" in dockerfile
    assert "--require-hashes -r requirements.lock" in dockerfile


def test_the_web_connects_as_a_role_of_its_own_and_the_workers_as_owner() -> None:
    roles = {name: SERVICES[name]["environment"].get("TOLLGATE_DB_ROLE", "owner") for name in APPLICATION}
    assert roles == {"web": "web", "worker": "owner", "beat": "owner", "migrate": "owner"}
    assert "tollgate_owner:" in SERVICES["web"]["environment"]["DATABASE_URL"]
    assert "tollgate_web:" in SERVICES["web"]["environment"]["DATABASE_WEB_URL"]


def test_a_missing_secret_stops_the_start() -> None:
    text = (CLONE / "docker-compose.yml").read_text()
    demanded = set(re.findall(r"\$\{(\w+):\?", text))
    assert demanded >= SECRETS
    assert set(re.findall(r"\$\{(\w+)\}", text)) <= demanded | {"MORE_HOSTS", "MORE_ORIGINS"}


def test_the_example_names_every_variable_that_is_demanded() -> None:
    demanded = set(re.findall(r"\$\{(\w+):\?", (CLONE / "docker-compose.yml").read_text()))
    example = dict(re.findall(r"^(\w+)=(.*)$", (CLONE / ".env.example").read_text(), re.M))
    assert demanded <= set(example)
    assert not any(example[name] for name in SECRETS)


def test_the_services_are_those_of_production_and_only_the_proxy_is_reachable() -> None:
    assert set(SERVICES) == {"web", "worker", "beat", "migrate", "db", "broker", "proxy"}
    assert SERVICES["db"]["image"] == "postgres:18"
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]


def test_the_files_that_services_mount_exist() -> None:
    mounted = [volume for service in SERVICES.values() for volume in service.get("volumes", [])]
    local = [volume.split(":")[0] for volume in mounted if volume.startswith("./")]
    assert local
    assert all((CLONE / path).is_file() for path in local)
    assert {volume.split(":")[0] for volume in mounted} - set(local) == set(COMPOSE["volumes"])


def test_the_database_makes_the_two_roles_of_the_embedded_one() -> None:
    from billing.dev.postgres import OWNER, WEB

    script = (CLONE / "deploy" / "roles.sh").read_text()
    assert f"CREATE ROLE {OWNER} LOGIN CREATEROLE" in script
    assert f"CREATE ROLE {WEB} LOGIN" in script
    assert "SUPERUSER" not in script
