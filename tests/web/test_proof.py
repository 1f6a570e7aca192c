"""/healthz proves which journal is behind it, to who knows the journal, and tells nobody anything else."""

from acme import NOW
from memory_journal import MemoryJournal
from webhooks.web import installation_proof


def test_a_process_over_the_same_journal_gives_the_proof_and_no_other():
    ours, theirs = MemoryJournal(), MemoryJournal()
    id_ = installation_proof.installation_id(ours, NOW)
    assert installation_proof.installation_id(ours, NOW) == id_
    installation_proof.installation_id(theirs, NOW)
    nonce = installation_proof.new_nonce()
    assert installation_proof.InstallationProof(ours).proof(nonce) == installation_proof.prove(id_, nonce)
    assert installation_proof.InstallationProof(theirs).proof(nonce) != installation_proof.prove(id_, nonce)
    assert installation_proof.prove(id_, nonce) != installation_proof.prove(id_, installation_proof.new_nonce())


def test_what_is_no_nonce_is_not_signed_and_asks_no_journal():
    journal = MemoryJournal()
    prover = installation_proof.InstallationProof(journal)
    for asked in ("", "1", "x" * 32, "0" * 31, "0" * 65, "0" * 32 + "\n"):
        assert prover.proof(asked) == ""
    assert journal.calls == []


def test_the_journal_is_asked_until_there_is_an_id_and_then_no_more():
    journal = MemoryJournal()
    prover = installation_proof.InstallationProof(journal)
    nonce = installation_proof.new_nonce()
    assert prover.proof(nonce) == ""
    id_ = installation_proof.installation_id(journal, NOW)
    assert prover.proof(nonce) == installation_proof.prove(id_, nonce)
    journal.calls.clear()
    prover.proof(nonce)
    assert journal.calls == []


def test_while_the_journal_is_away_there_is_no_proof_and_no_failure():
    journal = MemoryJournal()
    id_ = installation_proof.installation_id(journal, NOW)
    prover, nonce = installation_proof.InstallationProof(journal), installation_proof.new_nonce()
    journal.away = True
    assert prover.proof(nonce) == ""
    journal.away = False
    assert prover.proof(nonce) == installation_proof.prove(id_, nonce)
