"""Ignored event types, with the reason."""

from translators.helpscout.source import helpscout

helpscout.ignore("helpscout.test", because="Help Scout's own test of this URL")
helpscout.ignore("convo.ai-answers-email.*", because="written by Help Scout's AI, or a report of its outcome")
helpscout.ignore("convo.note.created", because="a private note, not a customer action")
helpscout.ignore("convo.deleted", because="its body names the conversation only, not the customer")
helpscout.ignore("tag.*", because="your team's list of labels; convo.tags reports their use")
helpscout.ignore("user.status.changed", because="about your teammates, not a customer")
helpscout.ignore("message.survey.response.received", because="an in-app survey's answer, not a rating of support")
