.PHONY: run test lint docs audit lock bench faults

run:
	@python3 dev.py run

test:
	@python3 dev.py test

lint:
	@python3 dev.py lint

docs:
	@python3 dev.py docs

audit:
	@python3 dev.py audit

lock:
	@python3 dev.py lock

bench:
	@python3 dev.py bench

faults:
	@python3 dev.py faults $(if $(rounds),--rounds $(rounds)) $(if $(only),--only $(only))
