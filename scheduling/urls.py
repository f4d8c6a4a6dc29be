from django.urls import path

from scheduling import api as faces
from scheduling import api_calendars as calendar_faces
from scheduling import api_waitlist as waitlist_faces
from scheduling import portal as pages
from scheduling import portal_booking as panel
from scheduling import portal_calendar as calendar_pages
from scheduling import portal_connections as connections
from scheduling.answer_page import Answer
from scheduling.api import groups, hours, resources, series
from scheduling.feeds import calendar

api = [
    path("availability/", hours.HoursList.as_view()),
    path("availability/<uuid:pk>/", hours.HoursOne.as_view()),
    path("availability-exceptions/", hours.ExceptionList.as_view()),
    path("availability-exceptions/<uuid:pk>/", hours.ExceptionOne.as_view()),
    path("visit-types/", faces.VisitTypeList.as_view()),
    path("slots/", faces.SlotList.as_view()),
    path("appointments/", faces.AppointmentList.as_view()),
    path("appointments/<uuid:pk>/", faces.AppointmentOne.as_view()),
    path("appointments/<uuid:pk>/cancel/", faces.AppointmentCancel.as_view()),
    path("appointments/<uuid:pk>/confirm/", faces.AppointmentConfirm.as_view()),
    path("appointments/<uuid:pk>/release/", faces.AppointmentRelease.as_view()),
    path("appointments/<uuid:pk>/reschedule/", faces.AppointmentReschedule.as_view()),
    path("group-visits/", groups.GroupVisitList.as_view()),
    path("group-visits/<uuid:pk>/", groups.GroupVisitOne.as_view()),
    path("group-visits/<uuid:pk>/cancel/", groups.GroupVisitCancel.as_view()),
    path("appointment-series/", series.SeriesList.as_view()),
    path("appointment-series/<uuid:pk>/", series.SeriesOne.as_view()),
    path("appointment-series/<uuid:pk>/cancel/", series.SeriesCancel.as_view()),
    path("practitioners/<uuid:pk>/reassign/", series.Reassign.as_view()),
    path("bookable-resources/", resources.ResourceList.as_view()),
    path("bookable-resources/<uuid:pk>/", resources.ResourceOne.as_view()),
]

api += [
    path("calendar-feeds/", calendar_faces.FeedList.as_view()),
    path("calendar-feeds/<uuid:pk>/", calendar_faces.FeedOne.as_view()),
    path("busy-calendars/", calendar_faces.BusyList.as_view()),
    path("busy-calendars/<uuid:pk>/", calendar_faces.BusyOne.as_view()),
]

api += [
    path("waitlist/", waitlist_faces.WaitlistList.as_view()),
    path("waitlist/<uuid:pk>/", waitlist_faces.WaitlistOne.as_view()),
    path("waitlist/<uuid:pk>/withdraw/", waitlist_faces.WaitlistLeave.as_view()),
    path("waitlist-offers/<uuid:pk>/accept/", waitlist_faces.OfferAccept.as_view()),
    path("waitlist-offers/<uuid:pk>/decline/", waitlist_faces.OfferDecline.as_view()),
]

portal = [
    path("appointments/answer/<str:token>/", Answer.as_view(), name="appointment-answer"),
    path("calendar/", calendar_pages.Calendar.as_view(), name="calendar"),
    path("calendar/appointments/<uuid:appointment_id>/", panel.Visit.as_view(), name="calendar-visit"),
    path("calendar/appointments/<uuid:appointment_id>/move/", calendar_pages.Move.as_view(), name="calendar-move"),
    path("calendar/appointments/<uuid:appointment_id>/confirm/", panel.Confirm.as_view(), name="calendar-confirm"),
    path("calendar/appointments/<uuid:appointment_id>/release/", panel.Release.as_view(), name="calendar-release"),
    path("calendar/booking/", panel.Find.as_view(), name="calendar-booking"),
    path("calendar/booking/<uuid:patient_id>/", panel.Book.as_view(), name="calendar-book"),
    path("calendars/", connections.Connections.as_view(), name="calendars"),
    path("calendars/feed/", connections.MakeFeed.as_view(), name="calendars-feed"),
    path("calendars/feed/revoke/", connections.RevokeFeed.as_view(), name="calendars-feed-revoke"),
    path("calendars/busy/", connections.AddBusy.as_view(), name="calendars-busy"),
    path("calendars/busy/<uuid:calendar_id>/remove/", connections.RemoveBusy.as_view(), name="calendars-busy-remove"),
    path("patients/<uuid:patient_id>/booking/", pages.Booking.as_view(), name="booking"),
]

feeds = [path("<str:secret>.ics", calendar)]
