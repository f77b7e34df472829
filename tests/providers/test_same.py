"""What tests/snap shows of the recipe's own module and is shown of each other one: the same tests."""

import pytest

# ruff: noqa: F401 - what is imported is run
from tests.snap.test_certificates import (
    test_external_account_binding,
    test_renew_with_a_deploy_hook,
    test_standalone,
)
from tests.snap.test_contents import (
    root,
    test_the_module_that_runs_is_the_one_on_record,
    test_the_record_is_of_the_module_that_is_there,
)
from tests.snap.test_doctor import (
    test_a_flagged_host,
    test_an_unflagged_host,
    test_health_is_reported_by_the_hook_and_by_the_timer,
    test_nothing_is_claimed_but_what_the_record_says,
)
from tests.snap.test_doors import (
    test_openssl_app,
    test_python_is_in_default_mode_elsewhere,
    test_python_is_in_fips_on_a_fips_host,
)
from tests.snap.test_hooks import (
    test_a_module_that_does_not_pass_its_self_tests,
    test_the_module_is_installed_on_this_machine,
)
from tests.snap.test_module import test_a_whole_life_is_computed_in_the_module
from tests.snap.test_refused import (
    test_a_server_that_only_has_what_is_not_approved,
    test_only_approved_groups_are_offered_and_agreed_on,
    test_openssl,
    test_python,
)

pytestmark = pytest.mark.usefixtures("snap_file")  # those too that get their host by its name alone
