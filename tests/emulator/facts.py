"""What is known of the service, fact by fact, with the tests that hold the emulator to it.

Owns the table alone; `test_facts.py` checks that it names tests that exist. A test is `file::function`, from this
folder or from tests/programs.
"""

from __future__ import annotations

FACTS: dict[str, dict[str, tuple[str, ...]]] = {
    "retirement": {
        "what a retired Assistants API answers is not known: 404 or 410": (
            "test_facts::test_files_and_stores_outlive_the_assistants",
            "test_threads::test_threads_are_retired_with_the_assistants",
            "test_behaviours::test_switch",
        ),
        "the body of an unknown route": ("test_sign_in::test_dated_paths_want_a_known_version",),
        "files and vector stores live on under v1, assistants and threads do not": (
            "test_facts::test_files_and_stores_outlive_the_assistants",
            "test_threads::test_v1_has_no_threads",
        ),
    },
    "assistants": {
        "model is required, and names a deployment": (
            "test_assistants::test_bad_body",
            "test_assistants::test_model_is_an_existing_deployment",
            "test_arm_deployments::test_assistants_need_a_finished_deployment",
        ),
        "name 256, description 512, instructions 256,000, tools 128, temperature 0 to 2, top_p 0 to 1": (
            "test_assistants::test_limit",
            "test_facts::test_limit",
        ),
        "reasoning_effort is OpenAI's only": ("test_assistants::test_bad_body", "test_runs::test_refused"),
        "the document of a modify limits instructions to 32,768": (
            "test_facts::test_the_shorter_limit_of_a_modify",
            "test_behaviours::test_switch",
        ),
        "a function wants name, parameters and description; no strict, no ranking_options": (
            "test_assistants::test_bad_body",
            "test_behaviours::test_switch",
        ),
        "max_num_results 1 to 50, not in the older version": (
            "test_assistants::test_max_num_results",
            "test_behaviours::test_older_version_leaves_file_search_options_out",
        ),
        "a function's name: 64 letters, digits, underscores, hyphens": ("test_assistants::test_limit",),
        "20 files for code_interpreter": (
            "test_facts::test_twenty_files_for_code_interpreter",
            "test_assistants::test_code_interpreter_takes_twenty_files",
            "test_threads::test_too_many_files_for_code_interpreter",
        ),
        "one store for file_search, by id or made on the way (create only), not both": (
            "test_facts::test_one_store_for_file_search",
            "test_assistants::test_file_search_takes_one_store",
            "test_assistants::test_helper_makes_a_store",
        ),
        "metadata: 16 pairs, key 64, value 512": ("test_assistants::test_limit", "test_facts::test_limit"),
        "lists: 1 to 100, 20 by default, desc by default, after and before": (
            "test_facts::test_a_list_has_pages_of_one_to_a_hundred",
            "test_lists::test_pages",
            "test_lists::test_bad_parameters",
            "test_lists::test_default_limit_is_twenty",
            "test_lists::test_empty_list",
        ),
        "a modify is a POST; lists of tool resources override": (
            "test_facts::test_a_modify_is_a_post",
            "test_assistants::test_modify_changes_only_what_is_given_and_null_clears",
        ),
        "whether a modify merges or replaces metadata, tools and tool resources is not known": (
            "test_behaviours::test_switch",
            "test_assistants::test_metadata_is_replaced_whole",
        ),
        "a deleted file leaves every store and every code_interpreter list": (
            "test_files::test_deletion_ripples",
            "test_files::test_deletion_ripples_to_what_a_modify_added",
        ),
        "a deleted store leaves its id in the assistant": (
            "test_assistants::test_deleted_store_leaves_a_dangling_id",
            "test_runs::test_run_on_a_deleted_store_goes_on_and_on_an_expired_one_fails",
        ),
        "the SDK still has beta.assistants": ("test_sdks::test_assistants", "test_examples::test_quickstart_by_key"),
    },
    "vector stores": {
        "500 files at creation and in a batch": ("test_facts::test_five_hundred_files_at_once",),
        "expires_after: last_active_at, 1 to 365 days": (
            "test_facts::test_limit",
            "test_vector_stores::test_bad_create",
            "test_vector_stores::test_expiry",
        ),
        "description is OpenAI's only; chunking only with files": (
            "test_vector_stores::test_bad_create",
            "test_vector_stores::test_chunking_needs_files",
        ),
        "a modify takes name, expires_after and metadata": ("test_vector_stores::test_modify_takes_three_fields",),
        "chunking: 100 to 4096 tokens, at most half of them overlap, auto is 800/400, not in the older version": (
            "test_vector_stores::test_chunking",
            "test_vector_stores::test_answers_tell_the_chunking",
        ),
        "an answer may say other": ("test_behaviours::test_switch",),
        "statuses of stores, of files and of batches": (
            "test_vector_stores::test_ingestion_takes_time_and_keeps_count",
            "test_vector_stores::test_expiry",
            "test_vector_stores::test_cancelling_a_batch",
            "test_faults_and_admin::test_ingestion",
        ),
        "attributes: 16 keys, 512 characters, by surface": ("test_vector_stores::test_attributes",),
        "a batch gives all its files the same attributes; files of their own settings are OpenAI's": (
            "test_vector_stores::test_attributes",
            "test_facts::test_what_only_others_have",
        ),
        "10,000 files in a store": ("test_vector_stores::test_ten_thousand_files_is_the_most",),
        "taking a file out of a store leaves the file": ("test_vector_stores::test_detaching_leaves_the_file",),
        "ingestion can hang without an error": ("test_faults_and_admin::test_ingestion",),
    },
    "files": {
        "purposes": ("test_facts::test_purposes", "test_files::test_bad_forms"),
        "neither checksum nor metadata": (
            "test_facts::test_a_file_has_neither_checksum_nor_metadata",
            "test_files::test_bad_forms",
        ),
        "expires_after: 3,600 to 2,592,000 seconds": ("test_files::test_expiry", "test_files::test_expired_files_go"),
        "512 MB a file": ("test_files::test_too_large_a_file_is_refused",),
        "uploads in parts are OpenAI's only": ("test_facts::test_what_only_others_have",),
        "whether the content of a file for assistants can be read is not known": (
            "test_files::test_content",
            "test_behaviours::test_switch",
        ),
        "the list knows purpose only; what it says of has_more is not known": (
            "test_lists::test_files_know_purpose_only",
            "test_behaviours::test_switch",
        ),
        "names are kept as sent; what becomes of %22 and of a second file of one name is not known": (
            "test_files::test_names_are_kept_as_sent",
            "test_files::test_two_files_of_one_name",
            "test_behaviours::test_switch",
        ),
    },
    "endpoints and sign-in": {
        "dated: an api-version, a key or a token": (
            "test_sign_in::test_dated_paths_want_a_known_version",
            "test_sign_in::test_data_plane_wants_a_key_or_token",
            "test_sign_in::test_data_plane_takes_a_token",
        ),
        "v1: the api-version is optional": ("test_sign_in::test_versions_of_v1",),
        "the scope of a token, and its end": (
            "test_sign_in::test_identity_endpoint",
            "test_sign_in::test_tokens_expire",
            "test_examples::test_quickstart_by_entra",
            "test_examples::test_javascript_by_entra",
        ),
        "error bodies": (
            "test_answers_match_documents::test_errors_of_v1",
            "test_answers_match_documents::test_contract_helper_knows_what_the_dated_documents_leave_out",
        ),
        "request ids": ("test_sign_in::test_every_answer_has_request_ids",),
        "assistants have no deployment in their path": ("test_facts::test_what_only_others_have",),
        "a doubled slash": ("test_sign_in::test_doubled_slash", "test_examples::test_javascript_with_a_double_slash"),
    },
    "resource manager": {
        "names": ("test_arm_accounts::test_names", "test_facts::test_name_of_a_deployment"),
        "statuses that the SDK takes": ("test_sdks::test_management_client", "test_facts::test_shapes_of_arm"),
        "long-running operations, three ways to follow them": (
            "test_sdks::test_management_client",
            "test_behaviours::test_switch",
            "test_arm_accounts::test_a_failing_operation",
            "test_faults_scripts::test_failed_operation",
        ),
        "the forms of the published examples": (
            "test_facts::test_shapes_of_arm",
            "test_answers_match_documents::test_arm",
            "test_answers_match_documents::test_arm_errors",
            "test_arm_accounts::test_soft_delete_restore_purge",
            "test_arm_deployments::test_life",
            "test_arm_accounts::test_keys",
        ),
        "soft-deleted for 48 hours, then restored, purged or gone": (
            "test_facts::test_soft_deleted_for_exactly_48_hours",
            "test_arm_accounts::test_soft_delete_restore_purge",
            "test_arm_accounts::test_purged_by_itself_after_48_hours",
            "test_examples::test_life_of_an_account",
        ),
        "subdomain and quota stay held until then": (
            "test_arm_accounts::test_subdomains_are_unique_and_stay_held",
            "test_arm_deployments::test_a_deleted_account_holds_its_quota_until_purged",
        ),
        "children first": ("test_arm_accounts::test_projects_hold_an_account",),
        "one write at a time; whether Retry-After is there is not known": (
            "test_arm_accounts::test_one_write_at_a_time",
            "test_behaviours::test_switch",
        ),
        "what cannot change": (
            "test_arm_accounts::test_what_cannot_change",
            "test_arm_deployments::test_what_may_change",
        ),
        "sign-in by token needs a subdomain": ("test_sign_in::test_tokens_need_a_subdomain",),
        "the body of a deployment; throttling is read-only there": (
            "test_arm_deployments::test_bad_bodies",
            "test_facts::test_throttling_is_read_only_on_a_deployment",
        ),
        "an omitted version gets a default that changes; auto-upgrade moves a pinned one": (
            "test_arm_deployments::test_omitted_version_and_capacity_get_defaults",
            "test_arm_deployments::test_models_move_on",
        ),
        "projects want AIServices": ("test_arm_accounts::test_bad_bodies",),
        "models, usages, capacities, free subdomains": (
            "test_arm_deployments::test_catalogue",
            "test_arm_deployments::test_calculate_capacity",
            "test_sdks::test_management_reads",
        ),
        "what the caller may do, on a group, an account and a project": (
            "test_arm_access::test_permissions_follow_the_roles",
            "test_arm_access::test_scopes",
        ),
        "the registration of the provider": ("test_arm_access::test_registration",),
        "other providers have versions of their own": ("test_arm_access::test_versions",),
        "too little quota": (
            "test_facts::test_quota_at_its_limit",
            "test_arm_deployments::test_quota_counts_the_whole_location",
        ),
        "the management client over plain http": ("test_sdks::test_management_client",),
    },
    "chat completions": {
        "limits of the documents": ("test_facts::test_limit_of_chat", "test_chat::test_refused"),
    },
    "requests a minute": {
        "spread over periods of 1 or 10 seconds; what is too much gets 429 until the next one": (
            "test_rate_limit::test_both_sides_of_the_limit",
            "test_rate_limit::test_a_refused_request_changes_nothing_and_is_logged",
        ),
        "how a 429 says when to come again is reported in several ways": (
            "test_rate_limit::test_what_an_answer_says",
            "test_rate_limit::test_how_it_says_when_to_come_again",
        ),
    },
    "the OpenAI client": {
        "a create whose answer was lost is sent again and makes two": (
            "test_sdks::test_lost_reply_and_retry_make_two_stores",
        ),
        "pages follow each other": ("test_lists::test_pages", "test_sdks::test_files_and_vector_stores"),
    },
}

LATER: dict[str, str] = {  # what is known, and why no test here holds the emulator to it
    "classic agents, agents v1, project endpoints, their search and sign-in": "the service of agents has its own tests",
    "300 GB of files in all, 2 million tokens in a file": "not enforced, as docs/emulator.md says",
    "300 writes a minute, 2,000 files in a batch, lists of 10,000 files": "of OpenAI's own service, not of Azure's",
    "retries and waits of azure-core and of the OpenAI client": "of the clients, tested where asstops uses them",
    "Disabled as a deployment's state": "nothing is known of how one gets there",
}
