"""What nginx and systemd are told of the web UI, with TLS and without."""

import pytest
from rendering import FACTS, lines, render

TLS = {
    "controller_url": "https://berth.example.com",
    "controller_tls_certificate": "/etc/ssl/certs/ui.pem",
    "controller_tls_key": "/etc/ssl/private/ui.pem",
}


def test_without_tls_it_listens_on_loopback_alone() -> None:
    listening = [line for line in lines(render("controller", "site.conf.j2")) if line.startswith("listen")]
    assert listening == ["listen 127.0.0.1:8080;"]


def test_with_tls_it_listens_everywhere_and_plain_http_leads_there() -> None:
    text = lines(render("controller", "site.conf.j2", **TLS))
    assert {"listen 443 ssl;", "ssl_certificate /etc/ssl/certs/ui.pem;", "server_name berth.example.com;"} <= set(text)
    assert "return 308 https://berth.example.com$request_uri;" in text
    assert "ssl_reject_handshake on;" in text
    assert not [line for line in text if "[::]" in line]


def test_with_ipv6_it_listens_there_too() -> None:
    facts = FACTS | {"all_ipv6_addresses": ["fd00::2"]}
    assert "listen [::]:443 ssl;" in lines(render("controller", "site.conf.j2", ansible_facts=facts, **TLS))


def test_another_port_leaves_plain_http_alone() -> None:
    text = lines(render("controller", "site.conf.j2", **TLS | {"controller_url": "https://berth.example.com:8443"}))
    assert "listen 8443 ssl;" in text
    assert not [line for line in text if "80 default_server" in line or line.startswith("return 308")]


def test_what_a_visitor_says_of_a_proxy_is_not_believed() -> None:
    text = lines(render("controller", "site.conf.j2", **TLS))
    assert {f"proxy_set_header X-Forwarded-{name};" for name in ("For $remote_addr", "Proto $scheme")} <= set(text)
    assert "proxy_set_header X-Forwarded-Host $http_host;" in text


@pytest.mark.parametrize("template", ["settings.env.j2", "berth-controller-web.socket.j2", "site.conf.j2"])
def test_secrets_are_in_the_file_for_secrets_alone(template: str) -> None:
    url, tokens = "postgresql://ui:hush@db/ui", {"HCLOUD_TOKEN": "hush"}
    given = {"controller_database_url": url, "controller_environment": tokens}
    assert "hush" not in render("controller", template, **given)
    text = lines(render("controller", "secrets.env.j2", **given))
    assert text == ['BERTH_UI_DATABASE="postgresql://ui:hush@db/ui"', 'HCLOUD_TOKEN="hush"']


def test_password_file_of_the_vault_is_named_where_one_is_given() -> None:
    assert not [line for line in lines(render("controller", "settings.env.j2")) if "VAULT" in line]
    text = lines(render("controller", "settings.env.j2", controller_vault_password_file="~/vault"))
    assert "ANSIBLE_VAULT_PASSWORD_FILE=/var/lib/berth-controller/vault-password" in text


@pytest.mark.parametrize(("given", "word"), [("", "accept-new"), ("known_hosts", "yes")])
def test_hosts_are_trusted_at_first_sight_only_where_no_keys_are_given(given: str, word: str) -> None:
    text = lines(render("controller", "ssh_config.j2", controller_known_hosts_file=given))
    assert f"StrictHostKeyChecking {word}" in text
