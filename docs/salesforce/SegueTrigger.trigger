/** One trigger per object: copy this one and replace Opportunity with Lead, Contact, Account, Case or your own object. */
trigger SegueTrigger on Opportunity (after insert, after update, after delete, after undelete) {
    SegueCallout.send();
}
