"""Ignored callbacks, each with its reason."""

from translators.twilio.source import twilio

twilio.ignore(
    "message.accepted",
    "message.scheduled",
    "message.queued",
    "message.sending",
    "message.receiving",
    because="in progress; message.sent, failed or received follows",
)
twilio.ignore("message.canceled", because="a scheduled message that you canceled: nothing was sent")
twilio.ignore("message.partially_delivered", because="one part of a message; delivered or undelivered follows")
twilio.ignore("call.*", because="calls make no messages")
twilio.ignore(
    "recording.*", "transcription.*", "stream.*", "siprec.*", because="part of a call; calls make no messages"
)
twilio.ignore("conference.*", "room.*", because="a conference call; calls make no messages")
twilio.ignore("fax.*", because="faxes make no messages")
twilio.ignore("conversation.*", because="about a conversation; each of its messages has its own callback")
twilio.ignore("taskrouter.*", because="the routing of a task to your staff")
twilio.ignore("debugger.*", because="an error or warning of your Twilio account")
