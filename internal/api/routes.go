package api

// routes registers every route, noun by noun.
func (s *Server) routes() {
	s.meRoutes()
	s.extensionRoutes()
	s.entryRoutes()
	s.releaseRoutes()
	s.projectRoutes()
	s.keyRoutes()
	s.familyRoutes()
	s.suspectRoutes()
	s.regroupRoutes()
	s.crashRoutes()
	s.receiptRoutes()
	s.helpRoutes()
	s.fixedRoutes()
	s.heldRoutes()
	s.symbolRoutes()
	s.feedbackRoutes()
	s.searchRoutes()
	s.completionRoutes()
	s.factRoutes()
	s.intakeRoutes()
	s.memberRoutes()
	s.notificationRoutes()
	s.auditRoutes()
	s.jobRoutes()
}
