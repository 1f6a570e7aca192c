"""/healthz proves which journal it uses, only to a caller that knows the journal."""

from support.acme import NOW
from support.memory_journal import MemoryJournal
from webhooks.web import installation_proof


def test_only_the_same_journal_gives_the_proof() -> None:
    journal, other_journal = MemoryJournal(), MemoryJournal()
    id_ = installation_proof.installation_id(journal, NOW)
    assert installation_proof.installation_id(journal, NOW) == id_
    installation_proof.installation_id(other_journal, NOW)
    nonce = installation_proof.new_nonce()
    assert installation_proof.InstallationProof(journal).proof(nonce) == installation_proof.prove(id_, nonce)
    assert installation_proof.InstallationProof(other_journal).proof(nonce) != installation_proof.prove(id_, nonce)
    assert installation_proof.prove(id_, nonce) != installation_proof.prove(id_, installation_proof.new_nonce())


def test_malformed_nonce_gets_no_proof_and_reads_no_journal() -> None:
    journal = MemoryJournal()
    proof = installation_proof.InstallationProof(journal)
    for nonce in ("", "1", "x" * 32, "0" * 31, "0" * 65, "0" * 32 + "\n"):
        assert proof.proof(nonce) == ""
    assert journal.calls == []


def test_installation_id_is_read_from_the_journal_once() -> None:
    journal = MemoryJournal()
    proof = installation_proof.InstallationProof(journal)
    nonce = installation_proof.new_nonce()
    assert proof.proof(nonce) == ""
    id_ = installation_proof.installation_id(journal, NOW)
    assert proof.proof(nonce) == installation_proof.prove(id_, nonce)
    journal.calls.clear()
    proof.proof(nonce)
    assert journal.calls == []


def test_unavailable_journal_gives_no_proof_and_no_error() -> None:
    journal = MemoryJournal()
    id_ = installation_proof.installation_id(journal, NOW)
    proof, nonce = installation_proof.InstallationProof(journal), installation_proof.new_nonce()
    journal.away = True
    assert proof.proof(nonce) == ""
    journal.away = False
    assert proof.proof(nonce) == installation_proof.prove(id_, nonce)
