/** One trigger for each object: copy this one and write Lead, Contact, Account, Case or your own object for Opportunity. */
trigger SegueTrigger on Opportunity (after insert, after update, after delete, after undelete) {
    SegueCallout.send();
}
