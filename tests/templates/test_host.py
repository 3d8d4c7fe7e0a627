"""What the settings of a host say, with features on and off."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from rendering import FACTS, evaluate, lines, render


def test_clock_is_left_alone_in_a_container() -> None:
    assert evaluate("base", "base_time_sync") is True
    assert (
        evaluate("base", "base_time_sync", ansible_facts=FACTS | {"virtualization_tech_guest": ["container"]}) is False
    )


def test_journal_is_limited() -> None:
    text = lines(render("base", "journald.conf.j2", base_journal_max_use="1G", base_journal_rate_limit=5))
    assert {"SystemMaxUse=1G", "RateLimitBurst=5"} <= set(text)


def test_kernel_parameters_are_those_given() -> None:
    assert lines(render("base", "sysctl.conf.j2", base_sysctl={"vm.swappiness": 1})) == ["vm.swappiness = 1"]
    assert lines(render("base", "sysctl.conf.j2", base_sysctl={})) == []


def test_firewall_guards_the_range() -> None:
    text = lines(render("base", "firewall.nft.j2", base_service_ports="20000-20010"))
    assert [line for line in text if "dport 20000-20010" in line and "@owners reject" in line]
    assert [line for line in text if "sport 20000-20010" in line and "@owners drop" in line]


@pytest.mark.skipif(
    not shutil.which("nft") or os.geteuid() != 0, reason="nft is not installed, or may be asked by root only"
)
def test_nft_understands_the_firewall(tmp_path: Path) -> None:
    rules = tmp_path / "firewall.nft"
    rules.write_text(render("base", "firewall.nft.j2").replace("/etc/berth/firewall.d", str(tmp_path / "firewall.d")))
    done = subprocess.run(["nft", "--check", "--file", rules], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_meta_has_its_settings() -> None:
    text = lines(render("meta", "meta.env.j2", meta_port=29000, meta_heap_mb=64, meta_idle_timeout="1h"))
    assert {"PG_META_PORT=29000", "NODE_OPTIONS=--max-old-space-size=64", "BERTH_IDLE_TIMEOUT=1h"} <= set(text)


def test_meta_reaches_no_database_by_itself() -> None:
    assert "PG_META_DB_URL=postgresql://nobody@localhost/nowhere?host=/nonexistent" in lines(
        render("meta", "meta.env.j2")
    )


def test_both_ports_of_meta_are_guarded() -> None:
    text = lines(render("meta", "meta.nft.j2", meta_port=29000))
    assert text == ['add element inet berth owners { "berth-meta" . 29000, "berth-meta" . 29001 }']


def test_key_of_meta_is_the_whole_file() -> None:
    assert render("meta", "crypto.key.j2", meta_crypto_key="k" * 40) == "k" * 40


def test_logs_are_kept_as_long_as_told() -> None:
    assert "rotate 3" in lines(render("nginx", "logrotate.j2", nginx_log_days=3))
