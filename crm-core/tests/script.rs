//! The random work on the memory store.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use crm_core::store::MemoryStore;
use crm_core::{block_on, testing};

fn transcript(seed: u64) -> String {
    block_on(testing::script::play(&testing::crm(MemoryStore::new(), 1), seed, 800)).unwrap()
}

#[test]
fn the_same_seed_leaves_the_same_transcript() {
    assert_eq!(transcript(1), transcript(1));
    assert_ne!(transcript(1), transcript(2));
}

#[test]
fn the_work_reaches_every_command_and_verifies() {
    let all: String = (0..60).map(transcript).collect();
    for line in [
        "contact.create {",
        "contact.update {",
        "contact.archive {",
        "contact.delete {",
        "product.create {",
        "invoice.create {",
        "invoice.issue {",
        "invoice.void {",
        "invoice.write_off {",
        "invoice.delete {",
        "invoice.update {",
        "payment.record {",
        "task.create {",
        "task.update {",
        "task.complete {",
        "task.cancel {",
        "task.reopen {",
        "task.delete {",
        "task.list ",
        "interaction.create {",
        "\"kind\":\"interaction\"",
        "\"kind\":\"task\"",
        "\"kind\":\"change\"",
        "membership.add {",
        "membership.set_role {",
        "report.summary {",
        "report.ageing {",
        "report.statement {",
        "report.leads {",
        "report.deals {",
        "report.funnel {",
        "report.cohort {",
        "report.forecast {",
        "report.velocity {",
        "lead.create {",
        "lead.update {",
        "lead.assign {",
        "lead.move {",
        "lead.convert {",
        "lead.archive {",
        "lead.restore {",
        "lead.delete {",
        "deal.create {",
        "deal.update {",
        "deal.start {",
        "deal.move {",
        "deal.win {",
        "deal.lose {",
        "deal.reopen {",
        "deal.archive {",
        "deal.restore {",
        "deal.delete {",
        "pipeline.create {",
        "pipeline.update {",
        "pipeline.make_default {",
        "pipeline.add_stage {",
        "pipeline.change_stage {",
        "pipeline.reorder {",
        "pipeline.delete_stage {",
        "pipeline.delete {",
        "tag.create {",
        "tag.update {",
        "tag.delete {",
        "tagging.add {",
        "tagging.remove {",
        "user.set_username {",
        "user.end_sessions {",
        "user.reset_password {",
        "user.deactivate {",
        "user.activate {",
        "api_key.create {",
        "api_key.revoke {",
        "api_key.set_quota {",
        "key contact.create {",
        "key product.create {",
        "key contact.create throttled: ",
        "key contact.create forbidden: ",
        "key unauthenticated: ",
        "invitation.create {",
        "invitation.withdraw {",
        "invitation.accept {",
        "invitation.decline ok",
        "duplicate: ",
        "forbidden: ",
        "not_found: ",
        "invalid: ",
        "rule: ",
        "conflict: ",
    ] {
        assert!(all.contains(line), "nothing did {line}");
    }
    assert_eq!(all.matches("\nverified ").count(), all.matches(" []\n").count());
}
